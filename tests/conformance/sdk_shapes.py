"""The shape of a request as the official SDK of a dialect declares it: its types, read."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import typing_extensions
from pydantic import BaseModel

from tests.conformance.shapes import Choice, Leaf, Listing, Record, Shape, least

Samples = Mapping[str, Any]
"""What stands in a field, by the end of its path: a tuple has several values. An end with `+` names further fields that an object needs."""
_WRAPPERS = (typing_extensions.Required, typing_extensions.NotRequired, typing.Required, typing.NotRequired, typing.Annotated)
_UNIONS = (Union, types.UnionType)
_TAGS = ("type", "role")
_PLAIN: Mapping[Any, tuple[Any, ...]] = {str: ("sample",), int: (7,), float: (0.5,), bool: (True, False)}


class SdkShapes:
    """Reads types of one SDK. `whole` are patterns of paths of objects that the mesh does not look into: they have one value."""

    def __init__(self, samples: Samples, whole: Iterable[str] = ()) -> None:
        self._samples = samples
        self._whole = [re.compile(each) for each in whole]

    def of(self, hint: Any, path: str, within: tuple[Any, ...] = ()) -> Shape | None:  # noqa: PLR0911 (a way for each kind of type)
        """The shape of a type; None for one that only repeats what it stands in."""
        hint = _bare(hint)
        if (known := self._sample(path)) is not None:
            return known
        if typing_extensions.is_typeddict(hint):
            return None if hint in within else self._object(hint, path, (*within, hint))
        if get_origin(hint) in _UNIONS:
            return self._union(hint, path, within)
        if get_origin(hint) is Literal:
            return Leaf(get_args(hint))
        if hint in _PLAIN:
            return Leaf(_PLAIN[hint])
        if hint is object or get_origin(hint) in {dict, Mapping}:
            return Leaf(({"a": "sample"},))
        arguments = get_args(hint)
        assert arguments, f"{path}: {hint} is a type that the suite does not know"
        item = self.of(arguments[0], f"{path}[]", within)
        return None if item is None else Listing(item)

    def _sample(self, path: str) -> Leaf | None:
        for end, value in self._samples.items():
            if path == end or path.endswith(f".{end}"):
                return Leaf(value if isinstance(value, tuple) else (value,))
        return None

    def _object(self, hint: Any, path: str, within: tuple[Any, ...]) -> Shape:
        record = self._record(hint, path, within)
        return Leaf((least(record),)) if any(each.search(path) for each in self._whole) else record

    def _record(self, hint: Any, path: str, within: tuple[Any, ...]) -> Record:
        fields: dict[str, Shape] = {}
        required: set[str] = set()
        for name, inner in get_type_hints(hint, include_extras=True).items():
            made = self.of(inner, f"{path}.{name}" if path else name, within)
            if made is not None:
                fields[name] = made
                if name in hint.__required_keys__ or _is_required(inner):
                    required.add(name)
        required.update(*(names for end, names in self._samples.items() if end.endswith("+") and f"{path}+".endswith(end)))
        return Record(fields, frozenset(required))

    def _union(self, hint: Any, path: str, within: tuple[Any, ...]) -> Shape | None:
        options: dict[str, Shape] = {}
        for name, member in _members(hint):
            place = f"{path}<{name}>"
            made = self.of(member, place, within)
            if made is not None:
                options[name] = made
        if len(options) == 1:
            return next(iter(options.values()))
        return Choice(options) if options else None


def _bare(hint: Any) -> Any:
    while get_origin(hint) in _WRAPPERS:
        hint = get_args(hint)[0]
    return hint


def _is_required(hint: Any) -> bool:
    return get_origin(hint) in {typing_extensions.Required, typing.Required}


def _members(hint: Any) -> Iterator[tuple[str, Any]]:
    """The types of a union, nested ones too, by what tells them apart. A text of any kind stands for those that are listed."""
    seen: dict[str, Any] = {}
    for member in get_args(hint):
        bare = _bare(member)
        if bare is type(None) or (isinstance(bare, type) and issubclass(bare, BaseModel)):
            continue  # nothing, or a part of an answer, which is sent back as what a request has in its place
        inner = dict(_members(bare)) if get_origin(bare) in _UNIONS else {_name(bare): bare}
        for name, each in inner.items():
            while name in seen and seen[name] != each:
                name += "'"  # noqa: PLW2901 (two types that say the same of themselves)
            seen[name] = each
    if str in seen.values():
        seen = {name: each for name, each in seen.items() if get_origin(each) is not Literal}
    yield from seen.items()


def _name(hint: Any) -> str:
    if not typing_extensions.is_typeddict(hint):
        return {str: "text", bool: "truth", int: "number", float: "number"}.get(hint, "list" if get_origin(hint) is not Literal else "word")
    hints = get_type_hints(hint, include_extras=True)
    for tag in _TAGS:
        if tag in hints and get_origin(_bare(hints[tag])) is Literal:
            return str(get_args(_bare(hints[tag]))[0])
    return str(hint.__name__)
