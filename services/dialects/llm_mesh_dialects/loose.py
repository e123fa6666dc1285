"""Reads what providers answer where it differs from the documents: an odd figure never costs the answer beside it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, Final

import orjson

from llm_mesh_dialects.errors import DialectError

_MOST: Final = 2**63 - 1
_FIGURE: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_LONE: Final = re.compile("[\\ud800-\\udfff]")
_DEEPEST: Final = 256


def loose_text(value: object) -> str:
    """A text, or a number as one; empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def loose_count(value: object) -> int | None:
    """A whole number that is not negative, also as a text or with a fraction, which counts as one more; None for anything else."""
    if type(value) is int and 0 <= value <= _MOST:
        return value  # as nearly always: what follows costs ten times as much
    if isinstance(value, str) and _FIGURE.fullmatch(value.strip()):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
        return None
    return math.ceil(value)


def bounded_sum(counts: Iterable[int]) -> int:
    """The sum of counts; the largest that a field holds where it is larger."""
    return min(sum(counts), _MOST)


def loose_parsed(data: bytes | str) -> Any:  # noqa: ANN401 (JSON)
    """What JSON says, whose strings may hold halves of surrogate pairs. Raises `DialectError` for what is no JSON."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise DialectError("", "expected JSON") from None


def mended(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 (JSON)
    """The same JSON, in which halves of surrogate pairs are joined where both are there, and replaced by U+FFFD where not."""
    if isinstance(value, str):
        return mended_text(value)
    if depth > _DEEPEST:
        raise DialectError("", "expected less nesting")
    if isinstance(value, list):
        return [mended(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {mended_text(key): mended(each, depth + 1) for key, each in value.items()}
    return value


def mended_text(text: str) -> str:
    """Likewise, for one text."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _LONE.search(text) else text


class Halves:
    """Joins surrogate pairs whose halves came in two pieces of a stream. Keeps one half per place, such as a choice's text."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[Any, str] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def mended(self, place: Any, text: str) -> str:  # noqa: ANN401 (any key of a dictionary)
        """The text with the half that came before it, and without the one that it ends with, which waits for the other."""
        if self._held:
            text = self._held.pop(place, "") + text
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._held[place] = text[-1]
            text = text[:-1]
        return mended_text(text)

    def rest(self, place: Any) -> str:  # noqa: ANN401 (any key of a dictionary)
        """U+FFFD where a half waited for another that did not come; empty where none did."""
        return "\ufffd" if self._held.pop(place, "") else ""
