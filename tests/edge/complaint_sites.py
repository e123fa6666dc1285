"""Every place where the code says that a body is not of its dialect, read from the code, and which of them have been reached."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_mesh_dialects import errors
from tests.edge.test_every_field_name import literal

SERVICES = Path(__file__).parents[2] / "services"
KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.DialectError)}
SETTINGS = frozenset({"overrides.py", "endpoints.py", "vertex.py"})
"""What an operator wrote, and no body of a client or provider: the settings of an adapter's endpoints."""
WRONG = "wrong"
"""What of `Fields` makes a complaint about a key: whoever calls it complains."""


@dataclass(frozen=True)
class Site:
    """One complaint of the code."""

    file: Path
    function: str
    field: str
    line: int
    end: int

    @property
    def name(self) -> str:
        return f"{self.file.relative_to(SERVICES)}: {self.function}: {self.field}"


def sites() -> dict[Site, str]:
    """All of them, each with a name; those of one function that name the same field are numbered."""
    found = [site for file in sorted(SERVICES.rglob("*.py")) if file.name not in SETTINGS for site in _in(file)]
    names: dict[Site, str] = {}
    for site in found:
        same = [other for other in found if other.name == site.name]
        names[site] = site.name if len(same) == 1 else f"{site.name} ({same.index(site) + 1})"
    return names


def _in(file: Path) -> list[Site]:
    source = file.read_text(encoding="utf-8")
    if "llm_mesh_dialects" not in source:
        return []
    found: dict[tuple[int, int], Site] = {}  # of functions in functions the inner one, which comes later, has it
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name != WRONG:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and node.args and _complains(node.func):
                    named = literal(node.args[0]) or ast.unparse(node.args[0])
                    found[node.lineno, node.col_offset] = Site(file, function.name, named, node.lineno, node.end_lineno or node.lineno)
    return list(found.values())


def _complains(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute):
        return called.attr == WRONG
    return isinstance(called, ast.Name) and called.id in KINDS


@dataclass
class Reached:
    """Which sites complained, of all that there are."""

    all: Mapping[Site, str]
    names: set[str] = field(default_factory=set)

    def recording(self, init: Callable[..., None]) -> Callable[..., None]:
        """The constructor of complaints, which notes where each comes from."""
        by_file: dict[str, list[Site]] = {}
        for site in self.all:
            by_file.setdefault(str(site.file), []).append(site)

        @functools.wraps(init)
        def made(error: errors.DialectError, *given: Any, **more: Any) -> None:
            frame = sys._getframe(1)
            while frame.f_back is not None and (frame.f_code.co_filename == errors.__file__ or frame.f_code.co_name == WRONG):
                frame = frame.f_back
            for site in by_file.get(frame.f_code.co_filename, ()):
                if site.line <= frame.f_lineno <= site.end:
                    self.names.add(self.all[site])
            init(error, *given, **more)

        return made
