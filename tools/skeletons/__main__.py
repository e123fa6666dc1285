"""Makes a new service or a new dialect from its skeleton: a part that works, to be filled.

    python -m tools.skeletons service conversations
    python -m tools.skeletons dialect gemini

`make new-service NAME=…` and `make new-dialect NAME=…` run this, and then the generators.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.services.declaration import ROOT, DeclarationError, declarations, free_port

FOLDER = Path(__file__).parent
SUFFIX = ".skeleton"
NAME = re.compile(r"[a-z]{2,32}")
KINDS = ("service", "dialect")
_FIRST_ADAPTER = 50061


class SkeletonError(Exception):
    """A part of that name cannot be made, and why."""


def made(kind: str, name: str, root: Path = ROOT) -> dict[Path, str]:
    """Every file of the new part with its text. Nothing is written yet."""
    if not NAME.fullmatch(name):
        raise SkeletonError(f"NAME={name!r}: expected 2 to 32 lower-case letters")
    words = _words(kind, name, root)
    files = {root / _filled(path, words): _filled(text, words) for path, text in _skeleton(kind)}
    if present := [path for path in files if path.exists()]:
        raise SkeletonError(f"NAME={name!r}: there is {present[0].relative_to(root)} already")
    project = next(path for path in files if path.name == "pyproject.toml")
    files[project.with_name("requirements.lock")] = _lock(files[project], root)
    return files


def _skeleton(kind: str) -> Iterator[tuple[str, str]]:
    """Paths and texts, with words between `@` to be filled in."""
    folder = FOLDER / kind
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        yield path.relative_to(folder).as_posix().removesuffix(SUFFIX), path.read_text(encoding="utf-8")


def _words(kind: str, name: str, root: Path) -> dict[str, str]:
    known = declarations(root)
    taken = {each.name for each in known} | {path.name for path in (root / "protos/llm_mesh").iterdir()}
    if kind == "service" and name in taken:
        raise SkeletonError(f"NAME={name!r}: there is such a service or contract already")
    ports = {each.port for each in known}
    port = free_port(known) if kind == "service" else next(port for port in range(_FIRST_ADAPTER, 50081) if port not in ports)
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return {"name": name, "Name": name.capitalize(), "NAME": name.upper(), "port": str(port), "version": version}


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"@(name|Name|NAME|port|version)@", lambda match: words[match[1]], text)


def _lock(project: str, root: Path) -> str:
    """The pins of a member that needs the same from others: they hold here, too, and no registry is asked."""
    ours = {each["name"]: each for each in (_project(path.read_text(encoding="utf-8")) for path in root.glob("*/**/pyproject.toml"))}
    needed = _needed(_project(project), ours)
    for path in sorted((root / "services").rglob("requirements.lock")):
        if _needed(_project(path.with_name("pyproject.toml").read_text(encoding="utf-8")), ours) == needed:
            return path.read_text(encoding="utf-8")
    raise SkeletonError("no service needs what the skeleton needs: correct its dependencies in tools/skeletons")


def _project(text: str) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(text).get("project", {"name": ""})
    return table


def _needed(project: dict[str, Any], ours: dict[str, dict[str, Any]], extras: str = "") -> set[str]:
    """What a member needs of others, and what those of ours need that it names."""
    lines = set(project["dependencies"])
    for extra in re.findall(r"\w+", extras):
        lines |= set(project["optional-dependencies"][extra])
    needed: set[str] = set()
    for line in lines:
        name, _, chosen = line.rstrip("]").partition("[")
        needed |= _needed(ours[name], ours, chosen) if name in ours else {line}
    return needed


def _tidy(modules: list[Path]) -> None:
    """How imports are sorted and lines are broken depends on the name."""
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "check", "--quiet", "--select=I", "--fix", *modules], cwd=ROOT, check=True)
    subprocess.run([ruff, "format", "--quiet", *modules], cwd=ROOT, check=True)


def main() -> None:
    """Write the files, or nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("name", help="lower-case letters, such as conversations")
    arguments = parser.parse_args()
    try:
        files = made(arguments.kind, arguments.name)
    except (SkeletonError, DeclarationError) as error:
        sys.exit(f"new-{arguments.kind}: {error}")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    _tidy([path for path in files if path.suffix == ".py"])
    print(f"new-{arguments.kind}: {len(files)} files")


if __name__ == "__main__":
    main()
