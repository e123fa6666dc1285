"""Starts the generator for one run, on its core, and hands back what it measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

from bench.load.spec import Spec
from bench.processes import LOAD_CORE, BrokenOffError, pinned

FILLING = 22_000
_AT_ONCE = 2_000
BUSY = 0.9
"""The generator's share of its core above which it may itself be what is measured."""


def run(spec: Spec, folder: Path, *, before: Callable[[], None] | None = None) -> dict[str, Any]:
    """One run; `before` is called between warm-up and measurement of a run that is `held`."""
    written = spec.write(folder / "spec.json")
    command = [sys.executable, "-m", "bench.load", str(written)]
    with (folder / "load.log").open("ab") as log:
        load = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            preexec_fn=pinned(LOAD_CORE),  # noqa: PLW1509 - no threads here
        )
    with load:
        output, held = cast("IO[str]", load.stdout), cast("IO[str]", load.stdin)
        line = output.readline()
        if spec.held and line.strip() == "ready":
            if before is not None:
                before()
            held.write("go\n")
            held.flush()
            line = output.readline()
    if load.returncode or not line:
        raise BrokenOffError(f"the generator broke off:\n{(folder / 'load.log').read_text()[-2000:]}")
    loaded: dict[str, Any] = json.loads(line)
    return loaded


def checked(result: dict[str, Any]) -> dict[str, Any]:
    """The result, unless an answer was wrong: then its figures mean nothing."""
    if result["failed"] or not result["requests"]:
        raise BrokenOffError(f"{result['failed']} answers of {result['requests'] + result['failed']} were wrong: {result['failures']}")
    return result


def fill(spec: Spec, folder: Path) -> None:
    """So many requests that what a mesh keeps at most so many of, such as the router's 20,000 decisions, is full."""
    for _ in range(FILLING // _AT_ONCE):
        checked(run(replace(spec, connections=64, count=_AT_ONCE, warm_up_count=0), folder))


def together(specs: Mapping[str, Spec], folder: Path) -> dict[str, dict[str, Any]]:
    """Several generators at once, for who must not be harmed by whom."""
    places = {name: folder / f"together-{name}" for name in specs}
    for place in places.values():
        place.mkdir(exist_ok=True)
    with ThreadPoolExecutor(len(specs)) as pool:
        running = {name: pool.submit(run, spec, places[name]) for name, spec in specs.items()}
        return {name: each.result() for name, each in running.items()}
