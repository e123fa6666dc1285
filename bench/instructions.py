"""The embedded mesh's hot path in instructions: the same on every machine and in every minute, to about a hundredth.

python -m bench.instructions [--requests 320] [--connections 32] [--streamed] [--functions 25]

`valgrind --tool=callgrind` runs the mesh, fifty times slower, and counts between two quiet moments. Time also depends on caches and on the
kernel, which this does not see; and hashes cost more than on a processor that has instructions for them. Two builds can be compared.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.behaviour import CHUNKS, Behaviour
from bench.processes import BrokenOffError, upstream
from bench.profiling.callgrind import Counted, counted
from bench.profiling.requests import held
from bench.runs import checked, run
from bench.topologies.embedded import MESH, embedded
from bench.topologies.target import Target

_KEYS = 64
_SETTLING_SECONDS = 3.0
_LOOP = "01"
"""The number that valgrind gives to the main thread."""
_LIBRARIES = 12
_PATIENT = {"LLM_MESH_LATENESS": "60s", "LLM_MESH_POLICY_STALENESS": "10s", "LLM_MESH_SLOW_TURN": "30s"}
"""Fifty times slower is late, but neither overload nor a store that does not answer."""


def main() -> None:
    """Counts and prints."""
    arguments = _arguments()
    missing = [tool for tool in ("valgrind", "callgrind_control") if shutil.which(tool) is None]
    if missing:
        raise BrokenOffError(f"{missing[0]} is not installed (Debian's package: valgrind)")
    with tempfile.TemporaryDirectory(prefix="llm-mesh-bench-") as place:
        folder = Path(place)
        output = folder / "callgrind"
        under = ("valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes", f"--callgrind-out-file={output}")
        program = (*under, sys.executable, "-m", "llm_mesh_cli")
        with upstream(folder) as provider, embedded(folder, provider.port, program=program, keys=_KEYS, environ=_PATIENT) as mesh:
            requests = _served(arguments, folder, mesh)
            _control(mesh, "-d")
        print(_report(arguments, requests, {file.name.rsplit("-", 1)[1]: _read(file) for file in folder.glob("callgrind.1-*")}))


def _served(arguments: argparse.Namespace, folder: Path, mesh: Target) -> int:
    spec = held(
        mesh,
        folder,
        Behaviour(),
        streamed=arguments.streamed,
        connections=arguments.connections,
        count=arguments.requests,
        warm_up=2 * _KEYS,
    )

    def before() -> None:
        time.sleep(_SETTLING_SECONDS)  # what followed the warm-up does not count
        _control(mesh, "-i", "on")

    result = checked(run(spec, folder, before=before))
    time.sleep(_SETTLING_SECONDS)  # what follows an answer, such as projections, belongs to it
    _control(mesh, "-i", "off")
    return int(result["requests"])


def _control(mesh: Target, *words: str) -> None:
    command = ["callgrind_control", *words, str(mesh.processes[MESH][0])]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise BrokenOffError(f"callgrind_control {' '.join(words)}: {ran.stdout}{ran.stderr}")


def _read(file: Path) -> Counted:
    with file.open(errors="replace") as lines:
        return counted(lines)


def _report(arguments: argparse.Namespace, requests: int, threads: dict[str, Counted]) -> str:
    loop = threads[_LOOP]
    everything = sum(thread.total for thread in threads.values()) / requests
    kind, chunks = (", streamed", f" ({everything / CHUNKS:,.0f} a chunk)") if arguments.streamed else ("", "")
    return "\n".join(
        [
            f"{requests} requests{kind}, {arguments.connections} in flight, {_KEYS} keys:",
            f"{everything:,.0f} instructions a request{chunks}, {loop.total / requests:,.0f} of them on the event loop's thread:",
            *_rows(loop.libraries, requests, _LIBRARIES),
            "by function:",
            *_rows(loop.functions, requests, arguments.functions),
        ]
    )


def _rows(counts: Counter[str], requests: int, most: int) -> list[str]:
    everything = counts.total()
    return [f"  {number / everything:6.1%} {number / requests:11,.0f}  {name}" for name, number in counts.most_common(most)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.instructions", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=320)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--streamed", action="store_true")
    parser.add_argument("--functions", type=int, default=25, help="how many functions to print, costliest first")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except BrokenOffError as error:
        sys.exit(str(error))
