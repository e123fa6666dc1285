"""How much of each service its own suite runs, against a floor each.

python -m tools.covered                    runs the suite of each service that has a floor, and fails where it covers less
python -m tools.covered router             of one service
python -m tools.covered --raise router     raises its floor in tools/coverage.toml to what was measured, rounded down; it never lowers one

Apart from `make test`, since measuring makes tests slower by more than a tenth. What other processes run is not counted: a mesh that a test
starts as a program tells nothing of lines.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ROOT / "tools" / "coverage.toml"
HEAD = "# Percent of its lines that a service's own suite runs, rounded down. `make coverage` fails below; figures only rise.\n\n"


def main() -> None:
    """Measures, and compares or raises."""
    words = sys.argv[1:]
    services = [word for word in words if word != "--raise"] or sorted(read())
    low = []
    for service in services:
        floors = read()
        percent, floor = measure(service), floors.get(service)
        print(f"{service:20} {percent:5.1f} %   floor: {'none yet' if floor is None else f'{floor} %'}", flush=True)
        if "--raise" in words:
            write({**floors, service: max(int(percent), floor or 0)})
        elif percent < (floor or 0):
            low.append(service)
    print(f"without a floor: {', '.join(sorted(set(suites()) - set(read()))) or 'none'}")
    if low:
        print(f"below the floor: {', '.join(low)}", file=sys.stderr)
        raise SystemExit(1)


def suites() -> list[str]:
    """Every service and library that has a suite of its name, by its folder."""
    folders = (path.parent for path in sorted((ROOT / "services").glob("**/pyproject.toml")))
    names = (folder.relative_to(ROOT / "services").as_posix() for folder in folders)
    return [name for name in names if (ROOT / suite(name)).is_dir()]


def suite(service: str) -> str:
    """Where its tests are."""
    return f"tests/{service.replace('adapters/', 'adapter_')}"


def measure(service: str) -> float:
    """Percent of its lines, after its suite has passed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        command = [
            sys.executable, "-m", "pytest", "--numprocesses=auto", "--dist=loadfile", "-q", f"--cov=services/{service}",
            f"--cov-report=json:{report}", "--cov-config=tools/coverage.ini", suite(service),
        ]  # fmt: skip
        subprocess.run(command, cwd=ROOT, check=True)
        return float(json.loads(report.read_text(encoding="utf-8"))["totals"]["percent_covered"])


def read() -> dict[str, int]:
    """The floors, by service."""
    return tomllib.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.exists() else {}


def write(floors: dict[str, int]) -> None:
    """Writes them in their order."""
    FLOORS.write_text(HEAD + "".join(f'"{service}" = {floor}\n' for service, floor in sorted(floors.items())), encoding="utf-8")


if __name__ == "__main__":
    main()
