"""Makes `llm_mesh.services`: the declarations as a running program reads them, in the distribution of the stubs that every service has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.services.declaration import ROOT, Declared

PATH = "python/llm_mesh/services.py"
"""Below gen/."""
ACCESS = re.compile(r"option \(llm_mesh\.mesh\.v1\.access\) = \{(.*?)\n    \};", re.DOTALL)
HEAD = '''"""Generated from services/**/service.toml and the contracts by `make services`: what a running mesh knows of its services."""

from __future__ import annotations

from typing import NamedTuple


class Declaration(NamedTuple):
    """One service, or what calls services by names of its own."""

    name: str
    """Of its link, such as `adapter/openai`."""
    identities: tuple[str, ...]
    """By which names it calls others; a trailing `*` stands for any rest."""
    contracts: tuple[str, ...] = ()
    registrations: tuple[tuple[str, str], ...] = ()
    """The generated module of each contract, and its `add_..._to_server`."""
    port: int = 0
    """Of its gRPC listener when it runs alone, or of HTTP where it has no contract."""
    calls: tuple[str, ...] = ()
    """Names or, with a trailing `*`, beginnings of names."""
    relays: tuple[str, ...] = ()
    """Whose public methods it passes on, with the credential of who called."""
    http_prefix: str = ""
    """Where its HTTP application is mounted at the mesh's listener."""
    database: bool = False
    """It owns data in a database of its own, with migrations."""
    records_changes: bool = False
    """Policy's audit trail records the changes of its resources."""
    acts_for_callers: bool = False
    """Policy lets it use models later in the name of callers."""
    in_workers: bool = False
    """Hosted by the processes that accept requests."""
    in_mesh: bool = True
    """Whether it is a part of the mesh, and no provider."""


'''


def module(declared: Sequence[Declared], protos: Path = ROOT / "protos") -> str:
    """The whole text."""
    places = dict(_places(protos))
    return "".join(
        (
            HEAD,
            "SERVICES: tuple[Declaration, ...] = (\n",
            *(line for each in declared if each.is_service and not each.optional for line in _entry(each, places)),
            ')\n"""In the order in which they start: who is called before who calls."""\n\n',
            "OPTIONAL: tuple[Declaration, ...] = (\n",
            *(line for each in declared if each.optional for line in _entry(each, places)),
            ')\n"""No part of the default installation: each has an environment of its own."""\n\n',
            "CLIENTS: tuple[Declaration, ...] = (\n",
            *(line for each in declared if not each.is_service for line in _entry(each, places)),
            ')\n"""What calls services, and is hosted by other names or not at all."""\n\n',
            "MESH_ACTIONS: frozenset[str] = frozenset(\n    {\n",
            *(f'        "{action}",\n' for action in sorted(set(_mesh_actions(protos)))),
            '    }\n)\n"""Actions of methods that serve services only. No key has them, whatever its role."""\n',
        )
    )


def _entry(each: Declared, places: dict[str, tuple[str, str]]) -> Iterator[str]:
    yield "    Declaration(\n"
    yield f"        name={_text(each.name)},\n"
    yield f"        identities={_tuple(each.identities or [each.name])},\n"
    for name in ("contracts", "calls", "relays"):
        if value := getattr(each, name):
            yield f"        {name}={_tuple(value)},\n"
    if each.contracts:
        pairs = "".join(f"({_text(places[contract][0])}, {_text(places[contract][1])}), " for contract in each.contracts)
        yield f"        registrations=({pairs.strip()}),\n"
    if each.port:
        yield f"        port={each.port},\n"
    if each.http_prefix:
        yield f"        http_prefix={_text(each.http_prefix)},\n"
    yield from (
        f"        {name}=True,\n" for name in ("database", "records_changes", "acts_for_callers", "in_workers") if getattr(each, name)
    )
    if not each.in_mesh:
        yield "        in_mesh=False,\n"
    yield "    ),\n"


def _text(value: str) -> str:
    return f'"{value}"'


def _tuple(values: Sequence[str]) -> str:
    return f"({', '.join(map(_text, values))}{',' if len(values) == 1 else ''})"


def _places(protos: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Where the stubs of each contract are."""
    for path in sorted(protos.rglob("*.proto")):
        generated = path.relative_to(protos).with_suffix("").as_posix().replace("/", ".")
        for name in re.findall(r"^service (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            yield f"{generated.rpartition('.')[0]}.{name}", (f"{generated}_pb2_grpc", f"add_{name}Servicer_to_server")


def _mesh_actions(protos: Path) -> Iterator[str]:
    """The actions of the rules of level MESH; `make fmt` gives all rules one form."""
    for path in protos.rglob("*.proto"):
        for rule in ACCESS.findall(path.read_text(encoding="utf-8")):
            if "level: ACCESS_LEVEL_MESH" in rule:
                yield from re.findall(r'action: "([^"]+)"', rule)
