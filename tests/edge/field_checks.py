"""The field checks of a module, read from its code, and which of them have failed."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_mesh_runtime.errors import MeshError
from tests.edge.test_every_field_name import literal


@dataclass(frozen=True)
class Check:
    """One call of `invalid`."""

    module: str
    function: str
    field: str
    line: int
    end: int

    @property
    def name(self) -> str:
        return f"{self.module}.{self.function}: {self.field}"


def checks_of(module: Any) -> Iterator[Check]:
    """All checks of a module, by the function that they are in."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    for outer in ast.walk(tree):
        if not isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(outer):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "invalid":
                named = literal(node.args[0]) or ast.unparse(node.args[0])
                yield Check(module.__name__.rpartition(".")[2], outer.name, named, node.lineno, node.end_lineno or node.lineno)


def names_of(found: list[Check]) -> dict[Check, str]:
    """A name for each; those of one function that name the same field are numbered."""
    names: dict[Check, str] = {}
    for check in found:
        same = [other for other in found if other.name == check.name]
        names[check] = check.name if len(same) == 1 else f"{check.name} ({same.index(check) + 1})"
    return names


@dataclass
class Seen:
    """Which checks have failed, of all that there are."""

    all: Mapping[Check, str]
    names: set[str] = field(default_factory=set)

    def recording(self, module: Any, invalid: Callable[..., MeshError]) -> Callable[..., MeshError]:
        """The constructor of a module's failures, which notes who calls."""
        own = {check: name for check, name in self.all.items() if check.module == module.__name__.rpartition(".")[2]}

        @functools.wraps(invalid)
        def made(*given: Any, **more: Any) -> MeshError:
            line = sys._getframe(1).f_lineno
            self.names |= {name for check, name in own.items() if check.line <= line <= check.end}
            return invalid(*given, **more)

        return made
