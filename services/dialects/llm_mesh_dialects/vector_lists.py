"""Vectors that stand in one list of a provider's answer, such as `"embeddings": [[…], […]]`: taken out while the text arrives."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.openai.vectors import VectorText

_LONGEST_BEGIN: Final = 128
_BETWEEN: Final = re.compile(rb"[ \t\r\n,]*")
_ENDS: Final = {ord("["): b"]", ord('"'): b'"'}
_END_OF_LIST: Final = ord("]")


class VectorLists(VectorText):
    """The text of one answer. `keys` are the names that the list may have."""

    def __init__(self, clean: Callable[[bytes], bytes], most: int, keys: Sequence[str]) -> None:
        super().__init__(clean, most)
        names = "|".join(map(re.escape, keys)).encode()
        self._list = re.compile(rb'(?<!\\)"(?:' + names + rb')"[ \t\r\n]{0,32}:[ \t\r\n]{0,32}\[')
        self._within = False
        self._key = keys[0]

    def _find_vector(self) -> bool:
        if not self._within:
            begin = self._list.search(self._text)
            if begin is None:
                self._keep(max(0, len(self._text) - _LONGEST_BEGIN))
                return False
            self._within = True
            self._keep(begin.end())
        return self._next()

    def _next(self) -> bool:
        """The vector that begins at what is there of the list, or the list's end."""
        between = _BETWEEN.match(self._text)
        self._keep(0 if between is None else between.end())
        if not self._text:
            return False
        if self._text[0] == _END_OF_LIST:
            self._within = False
            return True
        end = _ENDS.get(self._text[0])
        if end is None:
            raise DialectError(self._place(), "expected a list of numbers, or base64 of 32-bit numbers")
        self._end = end
        self._searched = 1
        return True

    def _place(self) -> str:
        return f"{self._key}[{len(self.vectors)}]"
