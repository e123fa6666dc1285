"""Reads JSON as readers of protocol buffers do: numbers may be texts, words of an enumeration may be small."""

from __future__ import annotations

import re
from typing import Any, Final

from llm_mesh_dialects.fields import Fields

_INT64: Final = 2**63
_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,19})?([eE][+-]?[0-9]{1,3})?")


class ProtoFields(Fields):
    """One JSON object of Google's at its path."""

    __slots__ = ()

    def whole(self, key: str, least: int = -_INT64, most: int = _INT64 - 1) -> int | None:
        """A whole number, also as a text."""
        value = self.peek(key)
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            number = int(value)
            self.raw(key)
            if least <= number <= most:
                return number
        return super().whole(key, least, most)

    def number(self, key: str) -> float | None:
        """A number, also as a text."""
        value = self.peek(key)
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            self.raw(key)
            return float(value)
        return super().number(key)

    def word(self, key: str) -> str:
        """A word of an enumeration; empty where none is said."""
        word = (self.text(key) or "").upper()
        return "" if word.endswith("_UNSPECIFIED") or word == "UNSPECIFIED" else word

    def present(self) -> dict[str, Any]:
        """What was not read, but for nulls."""
        return {key: value for key, value in self.rest().items() if value is not None}
