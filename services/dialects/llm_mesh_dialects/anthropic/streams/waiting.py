"""Events that wait until the tool call that is being told is whole: blocks of the dialect do not interleave.

Each event is looked at once when it comes and once when it is released, however many wait.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from llm_mesh.inference.v1 import generate_pb2

_MARKS: Final = re.compile(r'["\\{}\[\]]')
_OPENING: Final = frozenset("{[")
_ESCAPED: Final = re.compile(r'\\.|"', re.DOTALL)

Event = generate_pb2.StreamEvent


class Arguments:
    """The arguments of one call, as far as they came. Each character is looked at once."""

    __slots__ = ("_begun", "_depth", "_escaped", "_in_text")

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = False
        self._escaped = False
        self._begun = False

    @property
    def whole(self) -> bool:
        """Whether the object that they are has ended."""
        return self._begun and self._depth == 0 and not self._in_text

    def add(self, text: str) -> None:
        at = 0
        while at < len(text):
            at = self._after_text(text, at) if self._in_text else self._after_mark(text, at)

    def _after_text(self, text: str, at: int) -> int:
        """Passes over the inside of a string, up to and with the quote that ends it."""
        if self._escaped:
            self._escaped = False
            return at + 1
        for escape in _ESCAPED.finditer(text, at):
            if escape.group() == '"':
                self._in_text = False
                return escape.end()
        self._escaped = _odd_end(text, at)
        return len(text)

    def _after_mark(self, text: str, at: int) -> int:
        next_mark = _MARKS.search(text, at)
        if next_mark is None:
            return len(text)
        mark = next_mark.group()
        if mark == '"':
            self._in_text = True
        elif mark in _OPENING:
            self._begun, self._depth = True, self._depth + 1
        elif mark != "\\":
            self._depth -= 1
        return next_mark.end()


def _odd_end(text: str, at: int) -> bool:
    """Whether a text ends with a backslash that escapes what comes next."""
    inside = text[at:]
    return (len(inside) - len(inside.rstrip("\\"))) % 2 == 1


class Waiting:
    """Events in the blocks that they will be told in, first begun first."""

    def __init__(self) -> None:
        self._blocks: deque[list[Event]] = deque()
        self._of_call: dict[int, list[Event]] = {}
        self._open: list[Event] | None = None
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def add(self, event: Event, kind: str) -> None:
        self.bytes += event.ByteSize()
        known = self._of_call.get(event.tool_call.index) if kind == "tool_call" else None
        if known is not None:
            known.append(event)
        elif kind in {"tool_call", "tool_call_started"}:
            self._begin(event)
            self._of_call[getattr(event, kind).index] = self._blocks[-1]
            self._open = None
        elif self._open is not None:
            self._open.append(event)
        else:
            self._begin(event)
            self._open = self._blocks[-1]

    def next(self) -> list[Event]:
        """The block that was begun first."""
        block = self._blocks.popleft()
        self.bytes -= sum(event.ByteSize() for event in block)
        if block is self._open:
            self._open = None
        first = block[0]
        if first.WhichOneof("kind") == "tool_call_started":
            self._of_call.pop(first.tool_call_started.index, None)
        elif first.WhichOneof("kind") == "tool_call":
            self._of_call.pop(first.tool_call.index, None)
        return block

    def _begin(self, event: Event) -> None:
        self._blocks.append([event])
