"""The embedded mesh's hot path in a few seconds: CPU per request by thread, and the calls that it is made of.

python -m bench.hotpath [--requests 3000] [--connections 64] [--streamed] [--pace MS] [--cprofile FILE]

The mesh runs on one core, generator and upstream on the other. Requests go from idle to idle, so that all CPU between belongs to them.
Read CPU and calls; requests/s follow the noise of the machine. With --cprofile, calls are exact and times are inflated.
"""

from __future__ import annotations

import argparse
import json
import os
import pstats
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.behaviour import CHUNKS, Behaviour
from bench.processes import BrokenOffError, await_true, upstream
from bench.profiling.requests import held
from bench.runs import checked, run
from bench.topologies.embedded import MESH, embedded
from bench.topologies.target import Target

_KEYS = 250
_SETTLING_SECONDS = 0.3
_TOP = 60


def main() -> None:
    """Measures and prints."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="llm-mesh-bench-") as place:
        folder = Path(place)
        profile = folder / "profile"
        program = (sys.executable, "-m", "bench.profiling.program", "calls", str(profile))
        with upstream(folder) as provider, embedded(folder, provider.port, program=program, keys=arguments.keys) as mesh:
            pid = mesh.processes[MESH][0]
            result = _measured(arguments, folder, mesh, profile)
            os.kill(pid, signal.SIGUSR2)
            await_true(profile.exists, folder / "mesh.log")
            names = json.loads(profile.with_suffix(".threads").read_text())
            memory = sum(mesh.memory_mb().values())
        print(_report(arguments, mesh, result, names, memory))
        if arguments.cprofile:
            stats = pstats.Stats(str(profile))
            stats.dump_stats(arguments.cprofile)
            print(_calls(stats, result["requests"]))


def _measured(arguments: argparse.Namespace, folder: Path, mesh: Target, profile: Path) -> dict[str, Any]:
    spec = held(
        mesh,
        folder,
        Behaviour(pace=arguments.pace),
        streamed=arguments.streamed,
        connections=arguments.connections,
        count=arguments.requests,
        warm_up=arguments.connections if arguments.pace else max(len(mesh.keys), arguments.requests // 4),
    )

    def before() -> None:
        time.sleep(_SETTLING_SECONDS)  # what follows an answer, such as projections, is done too
        if arguments.cprofile:
            os.kill(mesh.processes[MESH][0], signal.SIGUSR1)
            await_true(profile.with_suffix(".started").exists, folder / "mesh.log")

    return checked(run(spec, folder, before=before))


def _report(arguments: argparse.Namespace, mesh: Target, result: dict[str, Any], names: dict[str, str], memory: float) -> str:
    requests, latency = result["requests"], result["latency_ms"]
    threads = result["cpu_seconds"][MESH]
    lines = [
        f"{requests} requests{', streamed' if arguments.streamed else ''}, {arguments.connections} in flight, {len(mesh.keys)} keys:",
        f"{result['per_second']:.0f} requests/s, p50 {latency['p50']:.2f} ms, p99 {latency['p99']:.2f} ms",
        f"CPU {sum(threads.values()) / requests * 1e6:.0f} µs a request"
        + (f" ({sum(threads.values()) / requests / CHUNKS * 1e6:.1f} a chunk)" if arguments.streamed else "")
        + f"; started in {mesh.started_seconds:.2f} s; {memory:.0f} MB (PSS); generator {result['generator_share']:.0%} of its core",
    ]
    for name, seconds in sorted(threads.items(), key=lambda item: -item[1])[:12]:
        number = name.split("/")[1].split(" ")[0]
        lines.append(f"  {seconds / requests * 1e6:8.1f} µs  {names.get(number, name)}")
    return "\n".join(lines)


def _calls(stats: pstats.Stats, requests: int) -> str:
    entries: dict[Any, Any] = stats.stats  # type: ignore[attr-defined]  # as pstats keeps them
    python = sum(entry[1] for (file, _, _), entry in entries.items() if file != "~")
    built_in = sum(entry[1] for (file, _, _), entry in entries.items() if file == "~")
    lines = [f"{python / requests:.0f} calls of Python functions a request on the event loop, {built_in / requests:.0f} of built-in ones"]
    lines += ["  calls/request   own µs   whole µs"]
    for (file, line, name), (_, calls, own, whole, _) in sorted(entries.items(), key=lambda item: -item[1][2])[:_TOP]:
        place = name if file == "~" else f"{_short(file)}:{line} {name}"
        lines.append(f"  {calls / requests:13.2f} {own / requests * 1e6:8.1f} {whole / requests * 1e6:10.1f}  {place}")
    return "\n".join(lines)


def _short(file: str) -> str:
    parts = Path(file).parts
    for mark in ("site-packages", "services"):
        if mark in parts:
            return "/".join(parts[parts.index(mark) + 1 :])
    return "/".join(parts[-2:])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.hotpath", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--keys", type=int, default=_KEYS)
    parser.add_argument("--streamed", action="store_true")
    parser.add_argument("--pace", type=float, default=0.0, help="milliseconds between the chunks of a stream; 0: all in one write")
    parser.add_argument("--cprofile", type=Path, help="write every call of the event loop there, and print the costliest")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except BrokenOffError as error:
        sys.exit(str(error))
