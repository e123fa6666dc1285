"""What it costs to import each package: CPU time and memory, the best of several fresh interpreters.

Timings stand here and not in tests, since a busy machine would make them lie; tests/architecture asserts what does not
depend on the machine: that an import touches nothing and brings nothing heavy. The goal is 0.8 s for all of a service.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOAL_SECONDS = 0.8

PROBE = """
import importlib, json, resource, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


@dataclass(frozen=True)
class Cost:
    """The least that an import took."""

    seconds: float
    megabytes: float


def entries() -> dict[str, list[str]]:
    """What a process imports to run each member: its composition root where it has one."""
    phases = {}
    for path in sorted((ROOT / "services").rglob("pyproject.toml")):
        (package,) = tomllib.loads(path.read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
        phases[package] = [f"{package}.wiring" if any((path.parent / package).glob("wiring*")) else package]
    return {**phases, "all of them": [name for names in phases.values() for name in names]}


def cost(modules: list[str], runs: int) -> Cost:
    """The best of several runs, the interpreter's own start included."""
    samples = []
    for _ in range(runs):
        command = [sys.executable, "-c", PROBE, *modules]
        result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        samples.append(json.loads(result.stdout.splitlines()[-1]))
    return Cost(min(seconds for seconds, _ in samples), min(megabytes for _, megabytes in samples))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="fresh interpreters per package")
    runs = parser.parse_args().runs
    print(f"{'package':32} {'CPU s':>7} {'MB':>6}")
    for name, modules in {"an empty interpreter": [], **entries()}.items():
        measured = cost(modules, runs)
        late = "" if measured.seconds <= GOAL_SECONDS else f"  above the goal of {GOAL_SECONDS} s"
        print(f"{name:32} {measured.seconds:7.3f} {measured.megabytes:6.0f}{late}")


if __name__ == "__main__":
    main()
