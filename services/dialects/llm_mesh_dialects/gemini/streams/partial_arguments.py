"""Arguments of a function call that come in pieces: each names a place by a JSON path, and a value or a piece of a text for it.

Pieces come in no order that JSON text could be made of at once, so they are put together, and told when the call is whole.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, Final

from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields

_STEP: Final = re.compile(r"""\.([^.\[\]'"]+)|\[([0-9]{1,5})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_ESCAPED: Final = re.compile(r"\\(.)")
_EXACT: Final = 2**53
"""Below it, a number of JSON that is whole has no other whole number beside it."""
_PATH: Final = "jsonPath"
_MOST_PIECES: Final = 100_000
_MOST_BYTES: Final = 4 * 1024 * 1024
_DEEPEST: Final = 64
_LONGEST_LIST: Final = 10_000
_MOST_PER_CALL: Final = 50_000
_MOST_PER_ANSWER: Final = 200_000

Step = str | int


class ArgumentRoom:
    """How many places arguments may still have: a short path can make thousands of them, so bytes do not bound them."""

    __slots__ = ("_answer", "_left")

    def __init__(self, most: int = _MOST_PER_ANSWER, answer: ArgumentRoom | None = None) -> None:
        self._left = most
        self._answer = answer

    def take(self, places: int, path: str) -> None:
        """Raise `DialectError` where there is no room for so many more."""
        self._left -= places
        if self._left < 0:
            raise DialectError(path, "expected fewer places in the arguments of functions")
        if self._answer is not None:
            self._answer.take(places, path)


class PartialArguments:
    """The arguments of one call, as far as they came. `answer` is the room that all calls of the answer share."""

    __slots__ = ("_bytes", "_pieces", "_room", "_texts", "_value")

    def __init__(self, answer: ArgumentRoom) -> None:
        self._room = ArgumentRoom(_MOST_PER_CALL, answer)
        self._value: dict[str, Any] = {}
        self._texts: dict[tuple[Step, ...], tuple[str, list[str]]] = {}
        self._pieces = 0
        self._bytes = 0

    def __bool__(self) -> bool:
        return self._pieces > 0

    def add(self, piece: Fields) -> None:
        """One piece. Raises `DialectError` where it is none, or where there are too many."""
        path, place = _path(piece), piece.at(_PATH)
        self._pieces += 1
        text = piece.text("stringValue")
        self._bytes += len(text or "") + len(piece.peek(_PATH))
        if self._pieces > _MOST_PIECES or self._bytes > _MOST_BYTES:
            raise DialectError(place, "expected fewer pieces of arguments")
        if text is not None:
            if path not in self._texts:
                self._room.take(len(path), place)  # the path is held, too
                self._texts[path] = (place, [])
                self._put(path, "", place)
            self._texts[path][1].append(text)
        elif (truth := piece.truth("boolValue")) is not None:
            self._put(path, truth, place)
        elif piece.peek("numberValue") is not None:
            number = piece.number("numberValue") or 0.0
            self._put(path, int(number) if abs(number) < _EXACT and number.is_integer() else number, place)
        else:
            self._put(path, None, place)

    def whole(self, begun: dict[str, Any]) -> dict[str, Any]:
        """All of it, on top of the arguments that came in one piece."""
        for path, (place, texts) in self._texts.items():
            self._put(path, "".join(texts), place)
        return {**begun, **self._value}

    def _put(self, path: tuple[Step, ...], value: object, place: str) -> None:
        holder: Any = self._value
        for step, following in pairwise(path):
            holder = self._held(holder, step, [] if isinstance(following, int) else {}, place)
        last = path[-1]
        self._make(holder, last, place)
        holder[last] = value

    def _held(self, holder: Any, step: Step, empty: Any, place: str) -> Any:  # noqa: ANN401 (JSON)
        """What stands at a step; something empty where nothing does."""
        if self._make(holder, step, place) or (isinstance(step, int) and holder[step] is None):
            holder[step] = empty
        return holder[step]

    def _make(self, holder: Any, step: Step, place: str) -> bool:  # noqa: ANN401 (JSON)
        """Makes the place of a step, with nothing in it; whether there was none."""
        if isinstance(step, int):
            if not isinstance(holder, list) or step > _LONGEST_LIST:
                raise _odd(place)
            more = step + 1 - len(holder)
            if more > 0:
                self._room.take(more, place)
                holder.extend([None] * more)
            return more > 0
        if not isinstance(holder, dict):
            raise _odd(place)
        if step in holder:
            return False
        self._room.take(1, place)
        holder[step] = None
        return True


def _odd(place: str) -> DialectError:
    return DialectError(place, "expected the path of a place in the arguments so far")


def _path(piece: Fields) -> tuple[Step, ...]:
    """`$.places[0].name` as steps."""
    text = piece.required_text(_PATH)
    steps: list[Step] = []
    at = 1
    while text[:1] == "$" and at < len(text) and len(steps) < _DEEPEST:
        step = _STEP.match(text, at)
        if step is None:
            break
        quoted = step[3] if step[3] is not None else step[4]
        steps.append(step[1] or (int(step[2]) if step[2] is not None else _ESCAPED.sub(r"\1", quoted)))
        at = step.end()
    if at < len(text) or not steps or isinstance(steps[0], int):
        raise _odd(piece.at(_PATH))
    return tuple(steps)
