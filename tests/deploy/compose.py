"""docker-compose.yml as the tests read it: without an engine, and with what the repository itself says about its services."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from llm_mesh.services import OPTIONAL, SERVICES, Declaration

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Described:
    """A service as its declaration describes it."""

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
    """Every service of the mesh that the default installation has."""
    return tuple(map(_described, SERVICES))


@cache
def optional() -> tuple[Described, ...]:
    """The others: compose starts them by their profile only."""
    return tuple(map(_described, OPTIONAL))


def _described(each: Declaration) -> Described:
    return Described(
        each.name.replace("adapter/", "adapters/"),
        each.port,
        tuple("adapters" if call == "adapter/*" else call for call in each.calls if call != "process/*"),
        bool(each.contracts),
    )


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
