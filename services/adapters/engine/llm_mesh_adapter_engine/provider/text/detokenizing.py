"""The text of tokens as they come. A character whose bytes are cut over tokens waits until it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

_INCOMPLETE: Final = "\ufffd"
_LONGEST_WAIT: Final = 8
"""Tokens that may wait for one character, which has four bytes at most: what waits longer is no text, and is shown as that."""


class Decoding(Protocol):
    """Knows the text of tokens."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Their text, without special tokens."""


class Detokenizer:
    """One answer. What stands before a token decides how it is written, so the tokens that were shown last are decoded with it."""

    __slots__ = ("_before", "_decode", "_shown", "_tokens")

    def __init__(self, decoding: Decoding) -> None:
        self._decode = decoding.decode
        self._tokens: list[int] = []
        """Those that were shown last, and those that wait."""
        self._shown = 0
        self._before = ""
        """The text of those that were shown last."""

    def feed(self, tokens: Sequence[int]) -> str:
        """What can be shown with these tokens."""
        self._tokens += tokens
        waiting = len(self._tokens) - self._shown
        for behind in range(min(waiting, _LONGEST_WAIT)):
            text = self._decode(self._tokens[: len(self._tokens) - behind])
            if len(text) > len(self._before) and not text.endswith(_INCOMPLETE):
                return self._show(text, behind)
        return "" if waiting < _LONGEST_WAIT else self._show(self._decode(self._tokens), 0)

    def _show(self, text: str, behind: int) -> str:
        """Shows all but the last tokens."""
        fresh = text[len(self._before) :]
        end = len(self._tokens) - behind
        del self._tokens[: max(0, end - _LONGEST_WAIT)]
        self._shown = len(self._tokens) - behind
        self._before = self._decode(self._tokens[: self._shown])
        return fresh
