"""Pins every installable set to hashes: `requirements.lock` at the root, and one beside each service.

There is no `uv.lock`, because that format holds the address of a package registry, and no committed file does. Members
of the workspace are left out of the locks (they are installed from the tree), and what the root's lock pins constrains
every other set, so that a service alone runs what was tested together. A set that is apart takes of those pins what all adapters have.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.lock"
# Sets that are tools only, by the dependency group that names them; a Go and a Node for machines without.
GROUPS = {"build": "tools", "go": "tools/go", "node": "tools/typescript", "release": "tools/release", "site": "tools/pages"}
COMMON = ROOT / "services/adapters/cohere" / LOCK
"""Holds what every adapter has: only that constrains a set that is apart, whose library has needs of its own."""
HOST = re.compile(r"https?://|^\s*(-i|-f|--index|--extra-index|--find-links)", re.MULTILINE)


@dataclass(frozen=True)
class Lock:
    """An installable set: what is resolved in which folder, and where the pins go."""

    folder: Path
    wants: tuple[str, ...]
    path: Path
    apart: bool = False
    """It is no part of the default installation: a library in it may need other versions than what is tested together."""


def members() -> dict[str, Path]:
    """Every distribution of the workspace but the root, by name."""
    projects = sorted([ROOT / "gen/python/pyproject.toml", *(ROOT / "services").rglob("pyproject.toml")])
    return {tomllib.loads(path.read_text())["project"]["name"]: path.parent for path in projects}


def locks() -> list[Lock]:
    """The root's first: it constrains the others."""
    root = Lock(ROOT, ("pyproject.toml", "--group=dev"), ROOT / LOCK)
    tools = [Lock(ROOT, (f"--group={group}",), ROOT / folder / LOCK) for group, folder in GROUPS.items()]
    services = [
        Lock(path, ("pyproject.toml", "--all-extras"), path / LOCK, apart=is_apart(path))
        for path in members().values()
        if any(path.glob("*/__main__.py"))
    ]
    return sorted([root, *tools, *services], key=lambda lock: lock.apart)


def is_apart(folder: Path) -> bool:
    """Whether a member is no part of the default installation."""
    declared = folder / "service.toml"
    return declared.exists() and bool(tomllib.loads(declared.read_text()).get("optional"))


def resolve(lock: Lock, output: Path, constraint: Path, *, upgrade: bool) -> None:
    """Write the pins of one set to `output`; pins that stand there already are kept where they still fit."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", *lock.wants, f"--output-file={output}"]
    command += ["--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url", "--no-strip-markers"]
    command += [f"--no-emit-package={name}" for name in members()]
    command += ["--upgrade"] if upgrade else []
    command += [] if output == constraint else [f"--constraints={constraint}", "--no-annotate"]
    environment = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    subprocess.run(command, cwd=lock.folder, check=True, env=environment)


def main() -> None:
    """Pin again, or with --check compare only."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a lock is not fresh")
    parser.add_argument("--upgrade", action="store_true", help="move every pin to the newest version that fits")
    arguments = parser.parse_args()
    stale = []
    with tempfile.TemporaryDirectory() as temporary:
        constraint = Path(temporary) / "0"
        for index, lock in enumerate(locks()):
            output = Path(temporary) / str(index)
            if lock.apart:
                constraint = COMMON
            if lock.path.exists():
                shutil.copyfile(lock.path, output)
            resolve(lock, output, constraint, upgrade=arguments.upgrade)
            pins = output.read_text()
            if HOST.search(pins):
                sys.exit(f"lock: {lock.path.relative_to(ROOT)} would name a registry")
            if not lock.path.exists() or lock.path.read_text() != pins:
                stale.append(lock.path.relative_to(ROOT).as_posix())
                if not arguments.check:
                    lock.path.write_text(pins)
    if arguments.check and stale:
        sys.exit("lock: not fresh, run `make lock`: " + ", ".join(stale))
    print(f"lock: {len(locks())} sets, {len(stale)} changed")


if __name__ == "__main__":
    main()
