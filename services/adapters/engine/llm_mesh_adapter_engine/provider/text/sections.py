"""Parts of a model's text: reasoning and calls of tools between their marks, and what is neither."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from llm_mesh_adapter_engine.provider.text.stopping import held_back

THINK_BEGINS: Final = "<think>"
THINK_ENDS: Final = "</think>"
CALL_BEGINS: Final = "<tool_call>"
CALL_ENDS: Final = "</tool_call>"


class SectionKind(Enum):
    """Text of the answer, its reasoning, or a call of a tool."""

    TEXT = "text"
    REASONING = "reasoning"
    CALL = "call"


class Section(NamedTuple):
    """A piece of the text. A call comes whole."""

    kind: SectionKind
    text: str


class Sections:
    """Those of one answer. `reasons`: the model shows its reasoning; `begun`: the prompt began it already. `calls`: it may call tools."""

    def __init__(self, *, reasons: bool, begun: bool, calls: bool) -> None:
        self._kind = SectionKind.REASONING if begun else SectionKind.TEXT
        self._reasons = reasons and not begun
        self._calls = calls
        self._held = ""
        self._trim = reasons
        """Space at the beginning of a section is how the template writes, and not what the model says."""

    def feed(self, text: str) -> Iterator[Section]:
        """What can be told apart by now."""
        self._held += text
        while (made := self._next()) is not None:
            if made.text:
                yield made

    def finish(self) -> Iterator[Section]:
        """What is left. A call without its end is told as it stands."""
        held, self._held = self._held, ""
        if self._kind is SectionKind.CALL:
            yield Section(SectionKind.CALL, held)
        elif text := self._trimmed(held):
            yield Section(self._kind, text)

    def _marks(self) -> tuple[str, ...]:
        if self._kind is SectionKind.REASONING:
            return (THINK_ENDS,)
        if self._kind is SectionKind.CALL:
            return (CALL_ENDS,)
        return tuple(mark for mark, has in ((THINK_BEGINS, self._reasons), (CALL_BEGINS, self._calls)) if has)

    def _next(self) -> Section | None:
        """The next section; None where more has to come."""
        marks, held = self._marks(), self._held
        first = min(((place, mark) for mark in marks if (place := held.find(mark)) >= 0), default=None)
        if first is not None:
            place, mark = first
            self._held = held[place + len(mark) :]
            made = Section(self._kind, held[:place] if self._kind is SectionKind.CALL else self._trimmed(held[:place]))
            self._enter(mark)
            return made
        if self._kind is SectionKind.CALL:
            return None
        keep = len(held) - held_back(held, marks)
        self._held = held[keep:]
        text = self._trimmed(held[:keep])
        return Section(self._kind, text) if text else None

    def _enter(self, mark: str) -> None:
        self._kind = {THINK_BEGINS: SectionKind.REASONING, CALL_BEGINS: SectionKind.CALL}.get(mark, SectionKind.TEXT)
        if mark == THINK_BEGINS:
            self._reasons = False  # a model thinks once, before it answers
        self._trim = True

    def _trimmed(self, text: str) -> str:
        if self._trim:
            text = text.lstrip()
            self._trim = not text
        return text
