"""What figures hold under: machine, build, disk, load of others."""

from __future__ import annotations

import hashlib
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

_LIBRARIES = ("grpcio", "protobuf", "uvloop", "httptools", "aiohttp", "orjson", "sqlalchemy", "casbin", "google-re2")

_STEAL = 7


def conditions(folder: Path) -> dict[str, Any]:
    """As JSON."""
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "?")
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": commit(),
        "build": build(),
        "machine": f"{os.cpu_count()} cores of {cpu}, {platform.system()} {platform.release()}",
        "python": f"{platform.python_version()} built {'with' if optimised else 'without'} PGO",
        "libraries": {name: version(name) for name in _LIBRARIES},
        "fsync_ms": fsync_ms(folder),
        "wake_us": wake_us(),
        "load_average": os.getloadavg()[0],
    }


def build() -> str:
    """What is measured, and by what: changes of other files, such as the report itself, leave results as they are."""
    measured = ("services", "gen/python", "bench", ":!*.md")
    lines = [
        subprocess.run(["git", *words, "--", *measured], capture_output=True, check=False).stdout  # noqa: S607 - from the PATH
        for words in (("ls-files", "-s"), ("diff", "HEAD"))
    ]
    return hashlib.sha256(b"".join(lines)).hexdigest()[:16]


def commit() -> str:
    """Of the work tree."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def fsync_ms(folder: Path) -> float:
    """The disk's share of every durable answer: the median of 50."""
    taken = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e3


def wake_us() -> float:
    """CPU that a send costs more where it wakes a client on the other core."""
    printed = subprocess.run([sys.executable, "-m", "bench.wake"], capture_output=True, text=True, check=True).stdout
    woken, quiet = (float(figure) for figure in printed.split())
    return woken - quiet


class Stolen:
    """The share of the cores' time that the host gave to others, from here on: while it does, nothing here runs."""

    def __init__(self) -> None:
        self._before = _ticks()

    def share(self) -> float:
        """So far."""
        passed = [after - before for before, after in zip(self._before, _ticks(), strict=True)]
        return passed[_STEAL] / sum(passed) if sum(passed) else 0.0


def _ticks() -> list[int]:
    """Of all cores: user, nice, system, idle, iowait, irq, softirq, steal."""
    return [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
