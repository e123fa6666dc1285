"""What keeps the language plain: no class name with two meanings, no retired word as a name, no docstring that says nothing.

    python -m tools.house.words

It drops what has been mended from the lists in `remaining/`, and fails with what no list has. A list is what was there when the rule came;
it only shrinks.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.house import sources

REMAINING = Path(__file__).parent / "remaining"
RETIRED = frozenset(
    [
        "asked",
        "bury",
        "exhume",
        "farewell",
        "found",
        "given",
        "heard",
        "kept",
        "owed",
        "patience",
        "pouring",
        "presence",
        "said",
        "told",
        "wanted",
    ]
)
"""Words that do not tell what a thing is. Name the thing: `requested_roles`, `matching_key`, `charged_lines`."""
FILLERS = frozenset({"all of them", "as above", "how much", "more of them", "one more", "one of them", "so much more", "the same"})
EMPTY_WORDS = frozenset(
    ["a", "all", "an", "and", "by", "for", "from", "is", "it", "its", "new", "of", "one", "or", "that", "the", "this", "to", "what"]
)


def used_twice() -> set[str]:
    """Each class name that several modules define, with each of them: `Row policy/…/ports.py`."""
    return {f"{name} services/{module}" for name, modules in sources.class_names_used_twice().items() for module in modules}


def retired_names() -> set[str]:
    """Each retired word that names something, with its file: a variable, an argument, an attribute, a function, a class or a module."""
    return {f"{word} {path}" for path, tree in _trees() for name in (*_names(tree), Path(path).stem) if (word := _bare(name)) in RETIRED}


def filler_docstrings() -> set[str]:
    """Each name whose docstring says nothing, with its file."""
    return {f"{name} {path}" for path, tree in _trees() for name, text in _docstrings(tree) if says_nothing(name, text)}


def says_nothing(name: str, docstring: str) -> bool:
    """Whether a docstring is one word, a filler, or made of the words of the name."""
    text = docstring.strip().rstrip(".").casefold()
    if "`" in text:
        return False
    words = re.findall(r"[\w']+", text)
    stems = {_stem(word) for word in words if word not in EMPTY_WORDS}
    return len(words) <= 1 or text in FILLERS or stems <= {_stem(word) for word in _words(name)}


CHECKS: dict[str, Callable[[], set[str]]] = {
    "class_names_used_twice": used_twice,
    "filler_docstrings": filler_docstrings,
    "retired_names": retired_names,
}


def remaining(check: str) -> set[str]:
    """What a list still allows."""
    return set((REMAINING / f"{check}.txt").read_text(encoding="utf-8").splitlines())


def _trees() -> Iterator[tuple[str, ast.Module]]:
    folders = [*sources.packages(), sources.ROOT / "bench", sources.ROOT / "tools"]
    for module in sorted(path for folder in folders for path in folder.rglob("*.py")):
        yield module.relative_to(sources.ROOT).as_posix(), ast.parse(module.read_text(encoding="utf-8"))


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.alias(asname=str(name)):
                yield name


def _docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield node.name, text
        for before, after in _neighbours(node):
            match before, after:
                case (
                    ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    yield name, text


def _neighbours(node: ast.AST) -> Iterator[tuple[ast.stmt, ast.stmt]]:
    if isinstance(node, ast.Module | ast.ClassDef):
        yield from zip(node.body, node.body[1:], strict=False)


def _bare(name: str) -> str:
    return name.strip("_").casefold()


def _words(name: str) -> list[str]:
    return [word.casefold() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]


def _stem(word: str) -> str:
    return re.sub(r"(?<=\w\w)(ies|es|s|ed|ing|e|y)$", "", word)


def main() -> None:
    """Shrink the lists, and fail with what no list has."""
    additions = 0
    for name, check in CHECKS.items():
        present, allowed = check(), remaining(name)
        (REMAINING / f"{name}.txt").write_text("".join(f"{line}\n" for line in sorted(present & allowed)), encoding="utf-8")
        print(f"{name:24} {len(present & allowed):4} remain, {len(allowed - present)} dropped")
        additions += len(present - allowed)
        for line in sorted(present - allowed):
            print(f"  new: {line}")
    sys.exit(1 if additions else 0)


if __name__ == "__main__":
    main()
