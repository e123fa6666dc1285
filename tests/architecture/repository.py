"""What the architecture tests look at: the members of the workspace and the files of the repository."""

import subprocess
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tools.services.declaration import declarations

ROOT = Path(__file__).resolve().parents[2]
# A service of several slices: each has rooms of its own, and the service those that all its slices share. See ADR 39.
SLICES_OF = {each.package: frozenset(each.slices) for each in declarations() if each.slices}


@dataclass(frozen=True)
class Member:
    """A distribution of ours that holds a package."""

    folder: Path
    package: str
    project: dict[str, Any]

    @property
    def modules(self) -> list[Path]:
        """Every Python file of the package."""
        return sorted((self.folder / self.package).rglob("*.py"))

    def name(self, module: Path) -> str:
        """The dotted name of one of its modules."""
        parts = module.relative_to(self.folder).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def members() -> tuple[Member, ...]:
    """The runtime and every service."""
    found = []
    for path in sorted((ROOT / "services").rglob("pyproject.toml")):
        settings = tomllib.loads(path.read_text())
        (package,) = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
        found.append(Member(path.parent, package, settings["project"]))
    return tuple(found)


def services() -> tuple[Member, ...]:
    """Every member that runs; libraries do not, and have no rooms."""
    return tuple(member for member in members() if (member.folder / member.package / "__main__.py").exists())


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in version control."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(path for name in sorted(filter(None, listed.split("\0"))) if (path := ROOT / name).is_file())


def relative(path: Path) -> str:
    """The name of a file as the repository knows it."""
    return path.relative_to(ROOT).as_posix()
