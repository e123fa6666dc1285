"""How long `llm-mesh up` takes on data that it knows, what it weighs, and what imports cost: measured, and written as evidence.

Nothing is asserted: a busy machine would make it lie. CPU time is told beside the clock's, since it lies less.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.startup import Cost, cost, entries
from tests.e2e.running import RunningMesh
from tests.proofs.evidence import commit, conditions, write
from tests.proofs.load import chat_body
from tests.proofs.stand import Stand, provider, stand

NAME = "start-and-memory"
_RUNS = 7
_REQUESTS = 200
_GOALS = {
    "ready, s": 1.5,
    "memory at ready, MB (PSS)": 200.0,
    f"memory after {_REQUESTS} requests, MB (PSS)": 200.0,
}


def measure() -> bool:
    """Start several times, look, and write the page."""
    begun = time.monotonic()
    rows = list(_starts())
    imports = {name: cost(modules, 3) for name, modules in {"an empty interpreter": [], **entries()}.items()}
    write(NAME, "\n".join([*_head(time.monotonic() - begun), *_table(rows, imports), ""]))
    return True


def _starts() -> Iterator[dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="prove-") as place:
        folder = Path(place)
        with provider(folder) as simulator:
            for number in range(_RUNS + 1):
                with stand(folder, simulator) as made:
                    row = _look(made)
                if number:  # the first one initialises the data directory
                    yield row


def _look(made: Stand) -> dict[str, float]:
    at_ready = {"ready, s": made.mesh.started_in, "CPU until ready, s": _cpu(made.mesh)}
    memory = {"memory at ready, MB (PSS)": _weight(made.mesh, "Pss"), "memory at ready, MB (RSS)": _weight(made.mesh, "Rss")}
    for number in range(_REQUESTS):
        assert made.ask(chat_body("sim-words", f"number {number}", stream=number % 2 == 0)).status == 200
    return at_ready | memory | {f"memory after {_REQUESTS} requests, MB (PSS)": _weight(made.mesh, "Pss")}


def _cpu(mesh: RunningMesh) -> float:
    fields = Path(f"/proc/{mesh.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _weight(mesh: RunningMesh, what: str) -> float:
    lines = Path(f"/proc/{mesh.process.pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{what}:"))


def _head(seconds: float) -> list[str]:
    claim = (
        "`llm-mesh up` on an initialised data directory, all installed services in one process: from the start of the interpreter to the "
        f"ready file, {_RUNS} times; memory as the kernel counts it; and what each package costs to import in an interpreter of its own."
    )
    busy = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors while measuring: the least of several runs says most."
    return [f"# {NAME}", "", claim, "", busy, "", *conditions({commit()}, seconds, f"make prove PROOF={NAME}"), ""]


def _table(rows: list[dict[str, float]], imports: dict[str, Cost]) -> list[str]:
    lines = ["| | least | median | most | goal |", "|---|---:|---:|---:|---:|"]
    for name in rows[0]:
        values = sorted(row[name] for row in rows)
        goal = f"{_GOALS[name]:g}" if name in _GOALS else ""
        lines.append(f"| {name} | {values[0]:.2f} | {values[len(values) // 2]:.2f} | {values[-1]:.2f} | {goal} |")
    lines += ["", "| import of | CPU, s |", "|---|---:|"]
    lines += [f"| `{name}` | {each.seconds:.2f} |" for name, each in imports.items()]
    return [*lines, "", "The goal of an import is 0.8 s; the interpreter's own start is in each figure."]
