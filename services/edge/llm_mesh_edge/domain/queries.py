"""What stands behind the question mark of a path: few values, each checked by whoever wants it."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl

from llm_mesh_runtime.errors import invalid

_MOST_FIELDS = 32
_MOST_DIGITS = 9


class Query:
    """The query of one request."""

    def __init__(self, raw: bytes) -> None:
        try:
            pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise invalid("query", f"expected at most {_MOST_FIELDS} percent-encoded fields") from None
        self._values = dict(pairs)

    def text(self, name: str) -> str:
        """A value; empty where there is none."""
        return self._values.get(name, "")

    def whole(self, name: str, default: int, most: int) -> int:
        """A number from 1 to `most`."""
        text = self._values.get(name, "")
        if not text:
            return default
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else 0
        if not 1 <= number <= most:
            raise invalid(name, f"expected a whole number from 1 to {most}")
        return number

    def one_of(self, name: str, values: Collection[str], default: str) -> str:
        """One of some values."""
        text = self._values.get(name, "") or default
        if text not in values:
            raise invalid(name, f"expected one of {', '.join(sorted(values))}")
        return text
