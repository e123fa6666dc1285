"""Where a field of the typed input stands in the body that a client sent, in what the dialects have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Body = Mapping[str, Any]
Place = Callable[[str, Body], str]
"""The place in the body of a field below `input.`; the field itself where the body has no such place."""

_PART = re.compile(r"^input\.messages\[(\d+)\]\.parts(?:\[(\d+)\])?\.?(.*)$")
_INNER = re.compile(r"^tool_result\.parts(?:\[(\d+)\])?\.?(.*)$")


def part_of(field: str) -> tuple[int, int | None, str] | None:
    """The message, the part and what of it; None for a field that is not in the parts of a message."""
    match = _PART.match(field)
    if match is None:
        return None
    message, part, rest = match.groups()
    return int(message), None if part is None else int(part), rest


def inner_part_of(rest: str) -> tuple[int | None, str] | None:
    """The part of a tool's result, and what of it."""
    match = _INNER.match(rest)
    if match is None:
        return None
    part, inner = match.groups()
    return None if part is None else int(part), inner


def below(owner: str, value: object, index: int | None, rest: str) -> str:
    """A part of a content: an item where the client sent a list, the content itself where it sent a text."""
    place = f"{owner}[{index}]" if index is not None and isinstance(value, list) else owner
    return f"{place}.{rest}" if rest and isinstance(value, list) else place


def listed(value: object) -> list[Any]:
    """The items of a list; none where it is something else."""
    return value if isinstance(value, list) else []
