"""How many files one touches for one thing more of a kind, counted from those that are there: where each of them is named by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median_low, mode
from typing import NamedTuple

from google.protobuf import descriptor_pb2

from tools.house.sources import ROOT
from tools.services.declaration import declarations
from tools.services.places import places
from tools.skeletons.__main__ import made

_NEW = "newcomer"


class Kind(NamedTuple):
    """One kind of thing, and the files that the middle one of its kind stands in."""

    name: str
    example: str
    files: tuple[str, ...]
    generated: int = 0
    """Places that a command writes."""

    def line(self) -> str:
        """For people."""
        written = f", {self.generated} places generated" if self.generated else ""
        return f"{self.name:13} {len(self.files):3} by hand{written}   {self.example}: {' '.join(self.files) or 'its own folders'}"


def kinds(root: Path = ROOT) -> list[Kind]:
    """All kinds that are counted."""
    words = dict(_written(root))
    messages = _messages(root)
    return [
        _middle("RPC", {name: {name, f"{name}Request", f"{name}Response"} for name in _rpcs(root)}, words),
        _middle("provider row", {name: {name} for name in _rows(root)}, words, mode),
        _middle("obligation", {name: _either(name) for name in messages["Obligation"]}, words),
        _middle("plan node", {name: _either(name) for name in messages["PlanNode"] if name != "attempt"}, words),
        _by_skeleton("dialect", root),
        _by_skeleton("service", root),
    ]


def _middle(
    kind: str, spellings: dict[str, set[str]], words: dict[str, set[str]], typical: Callable[[Iterable[int]], int] = median_low
) -> Kind:
    """The one of its kind that stands in a typical number of files. What no service names yet is not done, and does not count.

    Names of providers are words of other meanings, too (`google`, `together`): the commonest number is typical there.
    """
    by_name = {name: tuple(file for file, present in words.items() if present & spelt) for name, spelt in spellings.items()}
    done = {name: files for name, files in by_name.items() if any(file.startswith("services/") for file in files)}
    middle = typical(len(files) for files in done.values())
    example = next(name for name, files in done.items() if len(files) == middle)
    return Kind(kind, example, done[example])


def _either(field: str) -> set[str]:
    """The name of a field and of its message: `screen_output`, `ScreenOutput`."""
    return {field, "".join(map(str.capitalize, field.split("_")))}


def _by_skeleton(kind: str, root: Path) -> Kind:
    """Its files are made in folders of its own; elsewhere generators write, and nobody by hand."""
    files = made(kind, _NEW, root)
    existing = tuple(path.relative_to(root).as_posix() for path in files if path.exists())
    return Kind(kind, f"{len(files)} files made", existing, len(places(declarations(root), root)) + 1)


def _written(root: Path) -> Iterator[tuple[str, set[str]]]:
    """The words of what is written by hand: contracts and code, without tests. A name with hyphens counts as one word, too."""
    for path in sorted([*(root / "protos").rglob("*.proto"), *(root / "services").rglob("*.py")]):
        yield path.relative_to(root).as_posix(), set(re.findall(r"\w[\w-]*", path.read_text(encoding="utf-8")))


def _rpcs(root: Path) -> list[str]:
    return [
        name
        for path in sorted((root / "protos").rglob("*.proto"))
        for name in re.findall(r"^  rpc (\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def _rows(root: Path) -> list[str]:
    """The names of providers that are rows of a table, but of the simulator, and of those that have a dialect named after them."""
    tables = sorted((root / "services/adapters").rglob("rows.py"))
    names = [name for path in tables for name in re.findall(r'Provider\(\s*name="([\w-]+)"', path.read_text(encoding="utf-8"))]
    dialects = {path.name for path in (root / "services/adapters").iterdir()}
    return [name for name in names if name not in dialects and not name.startswith("simulator")]


def _messages(root: Path) -> dict[str, list[str]]:
    """What stands in the choice `kind` of each message."""
    files = descriptor_pb2.FileDescriptorSet.FromString((root / "gen/llm_mesh.binpb").read_bytes()).file
    return {
        message.name: [field.name for field in message.field if field.HasField("oneof_index")]
        for file in files
        for message in file.message_type
        if file.package.startswith("llm_mesh.") and [each.name for each in message.oneof_decl] == ["kind"]
    }
