"""Reads the declarations of services: one `service.toml` in each folder under services/, checked field by field."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints

ROOT = Path(__file__).resolve().parents[2]
FILE = "service.toml"
NAME = re.compile(r"[a-z][a-z0-9]*(/[a-z][a-z0-9]*)?")
PREFIX = re.compile(r"(/[a-z][a-z0-9-]*)+")
FIRST = "policy"
"""It starts before all others, which ask it who calls them. Whom it calls itself it needs later."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """What the container of a service has besides what every container has."""

    publish: str = ""
    """`port`, or `public` for the public gRPC listener, on loopback; empty: nothing is published."""
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Settings that are read from a file, with the name of the secret."""
    networks: Sequence[str] = ()
    health: str = ""
    """Where it says over HTTP that it serves; empty: the image's own check finds it."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One service, as its `service.toml` declares it; or a library whose users call services, which has no port."""

    folder: str
    """Below services/, such as `adapters/openai`."""
    name: str
    """Its link's name, such as `adapter/openai`."""
    does: str
    identities: Sequence[str] = ()
    """By which names it calls others; unset: its own."""
    contracts: Sequence[str] = ()
    http: str = ""
    """What it speaks where it has no contract."""
    http_prefix: str = ""
    """Where its HTTP application is mounted at the mesh's listener, such as `/console`."""
    port: int = 0
    calls: Sequence[str] = ()
    relays: Sequence[str] = ()
    """Whose public methods it passes on."""
    owns: str = ""
    database: bool = False
    records_changes: bool = False
    """Policy's audit trail records the changes of its resources."""
    acts_for_callers: bool = False
    """Policy lets it use models later in the name of callers."""
    in_workers: bool = False
    """Hosted by the processes that accept requests; what owns data never is."""
    in_mesh: bool = True
    optional: bool = False
    """No part of the default installation: it has an environment of its own, and whoever deploys it says so."""
    slices: Sequence[str] = ()
    """Its vertical slices, each with rooms of its own."""
    container: Container = field(default_factory=Container)

    @cached_property
    def package(self) -> str:
        """Its import package."""
        return f"llm_mesh_{self.name.replace('/', '_')}"

    @cached_property
    def distribution(self) -> str:
        """Its distribution; that of an entry point and a container is the same without the prefix."""
        return f"llm-mesh-{self.dashed}"

    @cached_property
    def dashed(self) -> str:
        """Its name without a slash."""
        return self.name.replace("/", "-")

    @cached_property
    def areas(self) -> tuple[str, ...]:
        """The packages of its contracts, such as `llm_mesh.policy.v1`."""
        return tuple(dict.fromkeys(contract.rpartition(".")[0] for contract in self.contracts))

    @property
    def is_service(self) -> bool:
        """Whether it is hosted, and no library."""
        return bool(self.port)


class DeclarationError(Exception):
    """A declaration is wrong; the text names its file and field."""


def declarations(root: Path = ROOT) -> tuple[Declared, ...]:
    """All declarations, in the order in which services start: who is called before who calls.

    Providers of ours come last: of several HTTP listeners in one process the first one's address is told as the mesh's.
    """
    read = [_read(path, root) for path in sorted((root / "services").rglob(FILE))]
    _consistent(read)
    return tuple(sorted(read, key=lambda each: (not each.in_mesh, _depth(each, read, ()), each.name)))


def services(root: Path = ROOT) -> tuple[Declared, ...]:
    """The declarations of what is hosted."""
    return tuple(each for each in declarations(root) if each.is_service)


def called(each: Declared, known: Sequence[Declared]) -> list[Declared]:
    """The services that one calls, with those that a pattern such as `adapter/*` stands for."""
    return [other for other in known if other.is_service and any(matches(pattern, other.name) for pattern in each.calls)]


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern with or without a trailing `*` stands for a name."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _read(path: Path, root: Path) -> Declared:
    file = path.relative_to(root).as_posix()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"{file}: {error}") from None
    container = _checked(f"{file}: container.", Container, table.pop("container", {}))
    folder = path.parent.relative_to(root / "services").as_posix()
    values = _checked(f"{file}: ", Declared, table | {"folder": folder})
    return Declared(**(values | {"container": Container(**container)}))


def _checked(where: str, kind: type, table: Any) -> dict[str, Any]:  # noqa: ANN401 (what stands in a file)
    """The values of a table, each of the type of its field."""
    if not isinstance(table, dict):
        raise DeclarationError(f"{where.rstrip('.')} is no table")
    hints = get_type_hints(kind)
    known = {each.name: each for each in fields(kind) if each.name != "container"}
    for name, value in table.items():
        if name not in known:
            raise DeclarationError(f"{where}{name} is no field; there are {', '.join(sorted(known))}")
        if not _is(value, hints[name]):
            raise DeclarationError(f"{where}{name} is {value!r}, expected {getattr(hints[name], '__name__', hints[name])}")
    for name, each in known.items():
        if each.default is MISSING and each.default_factory is MISSING and name not in table:
            raise DeclarationError(f"{where}{name} is missing")
    return table


def _is(value: object, hint: object) -> bool:
    if hint in {str, int, bool}:
        return type(value) is hint
    if isinstance(value, dict):
        return hint == Mapping[str, str] and all(isinstance(each, str) for each in value.values())
    return hint == Sequence[str] and isinstance(value, list) and all(isinstance(each, str) for each in value)


def _consistent(read: Sequence[Declared]) -> None:
    """What no declaration shows alone: names and ports are used once, and whoever is called exists."""
    names, prefixes = [each.name for each in read], [each.http_prefix for each in read]
    ports: dict[int, str] = {}
    for each in read:
        where = f"services/{each.folder}/{FILE}"
        if not NAME.fullmatch(each.name) or names.count(each.name) > 1:
            raise DeclarationError(f"{where}: name {each.name!r} is of a wrong form or taken: lower-case letters and digits, once")
        if each.is_service and ports.setdefault(each.port, each.name) != each.name:
            raise DeclarationError(f"{where}: port {each.port} is that of {ports[each.port]}; {free_port(read)} is free")
        if each.http_prefix and (not PREFIX.fullmatch(each.http_prefix) or prefixes.count(each.http_prefix) > 1):
            raise DeclarationError(f"{where}: http_prefix {each.http_prefix!r} is of a wrong form or taken: such as /console, once")
        if each.is_service and not (each.contracts or each.http):
            raise DeclarationError(f"{where}: it has neither contracts nor http")
        for pattern in (*each.calls, *each.relays):
            if not any(matches(pattern, name) for name in (*names, "process/")):
                raise DeclarationError(f"{where}: calls {pattern}, which no declaration names")


def free_port(read: Sequence[Declared]) -> int:
    """The next port for a service with a contract; adapters have theirs from 50061 on."""
    taken = {each.port for each in read}
    return next(port for port in range(50081, 50200) if port not in taken)


def _depth(each: Declared, read: Sequence[Declared], callers: tuple[str, ...]) -> int:
    if each.name in callers:
        raise DeclarationError(f"{' calls '.join((*callers, each.name))}: no order of starting is right")
    if each.name == FIRST or not each.is_service:
        return 0
    return 1 + max((_depth(other, read, (*callers, each.name)) for other in called(each, read)), default=-1)
