"""Reads YAML strictly: each problem names its line and the path of the field, and all of them are told at once."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import yaml

_TAG = "tag:yaml.org,2002:"
_TEXT = {f"{_TAG}{kind}" for kind in ("str", "int", "float", "timestamp")}
_BOOLEAN = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_KINDS = {yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list", yaml.ScalarNode: "a value"}


class FileError(Exception):
    """Everything that is wrong with a file, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class FileNode:
    """One node of the file, with the path that leads to it."""

    def __init__(self, node: yaml.Node, path: str, file: str, problems: list[str]) -> None:
        self.node = node
        self.path = path
        self._file = file
        self._problems = problems

    @property
    def file(self) -> str:
        """The file; empty for the options of a command."""
        return self._file

    @property
    def where(self) -> str:
        """`mesh.yaml:12`."""
        return f"{self._file}:{self.node.start_mark.line + 1}"

    @property
    def is_null(self) -> bool:
        """Whether `null` stands here: the field is to be unset."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == f"{_TAG}null"

    def problem(self, expected: str) -> None:
        """Note what is wrong here."""
        self._problems.append(f"{self.where}: {self.path or 'the file'}: {expected}")

    def entries(self) -> dict[str, FileNode]:
        """The entries of a mapping; a key that stands twice is a problem."""
        if not isinstance(self.node, yaml.MappingNode):
            self.problem(f"expected a mapping, found {self._kind()}")
            return {}
        nodes: dict[str, FileNode] = {}
        for key, value in self.node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            place = self._inner(value, f"{self.path}.{name}" if self.path else name)
            if not name:
                place.problem("expected a word as the key")
            elif name in nodes:
                place.problem(f"stands twice; first in line {nodes[name].node.start_mark.line + 1}")
            else:
                nodes[name] = place
        return nodes

    def fields(self, *known: str) -> dict[str, FileNode]:
        """The entries of a mapping whose keys are known; others are problems."""
        nodes = self.entries()
        for name in [name for name in nodes if name not in known]:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(known))}"
            nodes.pop(name).problem(f"is not a field; {hint}")
        return nodes

    def items(self) -> Iterator[FileNode]:
        """The items of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.problem(f"expected a list, found {self._kind()}")
            return
        for index, node in enumerate(self.node.value):
            yield self._inner(node, f"{self.path}[{index}]")

    def text(self) -> str:
        """A text; numbers count as they are written."""
        if isinstance(self.node, yaml.ScalarNode) and self.node.tag in _TEXT:
            return str(self.node.value)
        self.problem(f"expected text, found {self._kind()}; put it in quotes")
        return ""

    def integer(self) -> int:
        """A whole number."""
        if isinstance(self.node, yaml.ScalarNode) and self.node.tag == f"{_TAG}int":
            try:
                return int(str(self.node.value).replace("_", ""), 0)
            except ValueError:
                pass
        self.problem(f"expected a whole number, found {self._kind()}")
        return 0

    def flag(self) -> bool:
        """True or false."""
        if isinstance(self.node, yaml.ScalarNode) and self.node.tag == f"{_TAG}bool":
            return _BOOLEAN[str(self.node.value).lower()]
        self.problem(f"expected true or false, found {self._kind()}")
        return False

    def plain(self) -> object:
        """Whatever stands here, as plain data: for JSON inside the file."""
        constructor = yaml.constructor.SafeConstructor()
        try:
            return constructor.construct_document(self.node)
        except yaml.YAMLError as error:
            self.problem(f"cannot be read: {error}")
            return None

    def _inner(self, node: yaml.Node, path: str) -> FileNode:
        return type(self)(node, path, self._file, self._problems)

    def _kind(self) -> str:
        if isinstance(self.node, yaml.ScalarNode):
            return "nothing" if self.is_null else repr(self.node.value)
        return _KINDS.get(type(self.node), "something else")


def read(path: Path, problems: list[str]) -> FileNode:
    """The root of a file."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise FileError([f"{path}: cannot be read: {error.strerror}"]) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark is not None else str(path)
        raise FileError([f"{where}: expected YAML: {getattr(error, 'problem', None) or error}"]) from error
    if node is None:
        raise FileError([f"{path}: is empty"])
    return FileNode(node, "", str(path), problems)
