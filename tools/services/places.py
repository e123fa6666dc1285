"""Every place that repeats what services are, and what stands there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.services import containers
from tools.services.declaration import FILE, ROOT, Declared

_BEGIN, _END = "generated: ", "end of generated"


class Region(NamedTuple):
    """Lines of a file between two comments: `# generated: NAME` and `# end of generated`."""

    file: str
    name: str
    lines: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The text with these lines, indented as their first comment is."""
        lines = text.split("\n")
        begin = next((number for number, line in enumerate(lines) if re.search(rf"{_BEGIN}{re.escape(self.name)}(?: -->)?$", line)), None)
        end = next((number for number, line in enumerate(lines) if begin is not None and number > begin and _END in line), None)
        if begin is None or end is None:
            raise LookupError(f"{self.file} has no region `{_BEGIN}{self.name}`")
        indent = lines[begin][: len(lines[begin]) - len(lines[begin].lstrip())]
        fresh = [f"{indent}{line}".rstrip() for line in self.lines]
        return "\n".join([*lines[: begin + 1], *fresh, *lines[end:]])


class Line(NamedTuple):
    """A piece of one or more lines of a file, found by what stands around it."""

    file: str
    pattern: str
    text: str

    def applied(self, text: str) -> str:
        """The text with the piece, wherever the pattern fits; what its groups hold stays."""
        fresh, count = re.subn(self.pattern, lambda match: f"{match[1]}{self.text}{match[2]}", text, flags=re.MULTILINE)
        if not count:
            raise LookupError(f"{self.file} has nothing that fits {self.pattern}")
        return fresh


class Member(NamedTuple):
    """A distribution of the workspace."""

    name: str
    folder: str
    package: str
    runs: bool
    """It is no library: it has a `__main__`."""
    optional: bool = False
    """The default installation leaves it out."""


def members(root: Path = ROOT) -> list[Member]:
    """All of services/, by the names of their packages."""
    present = []
    for path in (root / "services").rglob("pyproject.toml"):
        project = tomllib.loads(path.read_text(encoding="utf-8"))
        (package,) = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
        runs = (path.parent / package / "__main__.py").exists()
        present.append(
            Member(project["project"]["name"], path.parent.relative_to(root).as_posix(), package, runs, _is_optional(path.parent))
        )
    return sorted(present, key=lambda member: member.package)


def _is_optional(folder: Path) -> bool:
    declared = folder / FILE
    return declared.exists() and bool(tomllib.loads(declared.read_text(encoding="utf-8")).get("optional"))


def places(declared: Sequence[Declared], root: Path = ROOT) -> list[Region | Line]:
    """All places but the module that running programs import."""
    known = [each for each in declared if each.is_service]
    default = [each for each in known if not each.optional]
    return [*_workspace(default, members(root)), *_deployment(known, default), *_forge(known), *_pages(declared, known)]


def _workspace(known: Sequence[Declared], everything: Sequence[Member]) -> Iterator[Region]:
    file, roomy = "pyproject.toml", sorted(each.package for each in known if not each.slices)
    present = [member for member in everything if not member.optional]
    names = sorted([*(member.name for member in present), "llm-mesh-protos"])
    apart = [member.package for member in present if member.runs]
    yield Region(file, "members", _list(f"{name}[http,sql]" if name == "llm-mesh-runtime" else name for name in names))
    yield Region(file, "sources", tuple(f"{name} = {{ workspace = true }}" for name in names))
    yield Region(file, "folders", _list(["gen/python", *(member.folder for member in sorted(everything, key=lambda each: each.folder))]))
    yield Region(file, "packages", _list(member.package for member in present))
    yield Region(file, "independent packages", _list(apart))
    yield Region(file, "what the runtime does not know", _list(apart))
    yield Region(file, "what the kit of adapters does not know", _list([*apart, "llm_mesh_dialects"]))
    yield Region(file, "packages with rooms", _list(roomy))
    yield Region(file, "slices with rooms", _list(f"{each.package}.{name}" for each in known for name in each.slices))


def _deployment(declared: Sequence[Declared], known: Sequence[Declared]) -> Iterator[Region | Line]:
    file, stateful = "docker-compose.yml", [each for each in known if each.database]
    yield Region(file, "services", tuple(line.removeprefix("  ") for line in containers.containers(declared))[:-1])
    yield Region(file, "migrations", tuple(line.removeprefix("  ") for line in containers.migrations(known))[:-1])
    secrets = [containers.database_secret(each) for each in stateful]
    yield Region(file, "secrets of databases", tuple(f"- {name}" for name in secrets))
    yield Region(file, "files of secrets", tuple(f"{name}: {{ file: ./deploy/secrets/{name} }}" for name in secrets))
    yield Line("deploy/secrets.sh", r"^(for service in ).*(; do)$", " ".join(each.dashed for each in stateful))
    yield Line("docs/operations.md", r"^(for name in ).*(; do)$", " ".join(each.dashed for each in stateful))
    served = [each.name for each in known if each.name != "gateway"]
    yield Line("docs/tutorials/separate-deployment.md", r"^(for service in ).*(; do)$", " ".join(served))
    urls = [f'LLM_MESH_{each.dashed.upper()}_DATABASE_URL="sqlite:///$PWD/{each.dashed}.db"' for each in stateful]
    yield Line("docs/tutorials/separate-deployment.md", r"()(?:^export LLM_MESH_\w+_DATABASE_URL=\"sqlite.*\n)+()", _exports(urls))
    links = [f"LLM_MESH_LINK_{each.dashed.upper().replace('-', '_')}=mux+dns:///127.0.0.1:{each.port}" for each in known if each.contracts]
    yield Line("docs/tutorials/separate-deployment.md", r"()(?:^export LLM_MESH_LINK_.*\n)+()", _exports(links))


def _forge(known: Sequence[Declared]) -> Iterator[Region | Line]:
    yield Region(".github/workflows/release.yml", "services", tuple(f"- {folder}" for folder in sorted(each.folder for each in known)))
    parts = [each.name for each in known if each.in_mesh and "/" not in each.name]
    others = ("an adapter", "command line", "documentation", "I do not know")
    yield Line(".github/ISSUE_TEMPLATE/idea.yml", r"^(      options: \[).*(\])$", ", ".join([*parts, *others]))


def _pages(declared: Sequence[Declared], known: Sequence[Declared]) -> Iterator[Region]:
    order = sorted(known, key=lambda each: (not each.contracts, "/" in each.name, each.port))
    head = ("| service | contract | port | data that it owns | calls |", "|---|---|---|---|---|")
    rows = (f"| {_linked(each)} | {_contract(each)} | {each.port} | {each.owns or 'none'} | {_calls(each)} |" for each in order)
    yield Region("services/README.md", "services", (*head, *rows))
    (adapters,) = (each for each in declared if each.name == "adapters")
    first = min((each for each in known if each.name.startswith("adapter/")), key=lambda each: each.port)
    shown = [each for each in order if not each.name.startswith("adapter/") or each is first]
    lines = (
        f"| [adapters](services/adapters) | {_contract(first)} | {first.port}… | {adapters.does} |"
        if each is first
        else f"| [{each.name}](services/{each.folder}) | {_contract(each)} | {each.port} | {each.does} |"
        for each in shown
    )
    yield Region("README.md", "services", ("| service | contract | port | decides, owns |", "|---|---|---|---|", *lines))


def _linked(each: Declared) -> str:
    return f"[`{each.folder}`]({each.folder})" + (" (optional)" if each.optional else "")


def _contract(each: Declared) -> str:
    return ", ".join(f"`{area}`" for area in each.areas) or f"HTTP, {each.http}"


def _calls(each: Declared) -> str:
    named = ["adapters" if pattern == "adapter/*" else pattern for pattern in each.calls if pattern != "process/*"]
    return ", ".join(named) or "none"


def _list(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(f'"{value}",' for value in values)


def _exports(settings: Sequence[str]) -> str:
    """Two to a line."""
    pairs = (" ".join(settings[number : number + 2]) for number in range(0, len(settings), 2))
    return "".join(f"export {pair}\n" for pair in pairs)
