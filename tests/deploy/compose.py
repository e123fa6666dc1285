"""docker-compose.yml as the tests read it: without an engine, and with what the repository itself says about its services."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
_ROW = re.compile(
    r"^\| \[`(?P<name>[a-z/]+)`\]\([a-z/]+\) \| (?P<contract>[^|]+) \| (?P<port>\d+) \|[^|]+\| (?P<calls>[^|]+) \|$", re.MULTILINE
)


@dataclass(frozen=True)
class Described:
    """A row of the table of services/README.md."""

    folder: str
    port: int
    calls: tuple[str, ...]
    has_contract: bool

    @property
    def container(self) -> str:
        """`adapters/openai` runs in the container `adapter-openai`, and its link has that name with a slash."""
        return self.folder.replace("adapters/", "adapter-")


@cache
def described() -> tuple[Described, ...]:
    """Every service of the mesh."""
    rows = _ROW.finditer((ROOT / "services/README.md").read_text(encoding="utf-8"))
    found = [
        Described(
            row["name"],
            int(row["port"]),
            tuple(name.strip() for name in row["calls"].split(",") if name.strip().isascii()),
            row["contract"].strip().startswith("`"),
        )
        for row in rows
    ]
    assert len(found) >= 10, "the table of services/README.md cannot be read"
    return tuple(found)


@cache
def compose() -> Mapping[str, Any]:
    """The file, with its merge keys resolved."""
    parsed: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return parsed


def containers() -> Mapping[str, Mapping[str, Any]]:
    """All containers by name."""
    found: Mapping[str, Mapping[str, Any]] = compose()["services"]
    return found


def ours() -> Mapping[str, Mapping[str, Any]]:
    """The containers that are built from this repository."""
    return {name: each for name, each in containers().items() if "build" in each}
