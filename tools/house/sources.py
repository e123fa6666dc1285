"""What the sources say of themselves."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
LONG = 200
"""Lines of a file that does more than one thing, as a rule of thumb."""


def packages() -> list[Path]:
    """Every import package of the services."""
    return sorted(path.parent for path in (ROOT / "services").rglob("py.typed"))


def modules() -> list[Path]:
    """Every module of the services."""
    return [module for package in packages() for module in sorted(package.rglob("*.py"))]


def class_names_used_twice() -> dict[str, list[str]]:
    """Names of classes that more than one module defines, with these modules."""
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules():
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module.relative_to(ROOT / "services").as_posix())
    return {name: paths for name, paths in sorted(places.items()) if len(set(paths)) > 1 and name != "Settings"}


def import_circles() -> list[list[str]]:
    """Groups of modules each of which imports, by some way, all others of its group."""
    members, before = packages(), list(sys.path)
    sys.path += [str(package.parent) for package in members]  # optional services are not installed
    try:
        graph = grimp.build_graph(*(package.name for package in members), cache_dir=None, exclude_type_checking_imports=True)
    finally:
        sys.path[:] = before
    circles: list[list[str]] = []
    done: set[str] = set()
    for module in sorted(graph.modules):
        if module not in done:
            circle = {module, *(graph.find_upstream_modules(module) & graph.find_downstream_modules(module))}
            done |= circle
            if len(circle) > 1:
                circles.append(sorted(circle))
    return circles


def long_files() -> dict[str, int]:
    """Files of more lines than `LONG`, with their length."""
    lengths = {module.relative_to(ROOT).as_posix(): len(module.read_text(encoding="utf-8").splitlines()) for module in modules()}
    return {name: length for name, length in sorted(lengths.items(), key=lambda item: -item[1]) if length > LONG}
