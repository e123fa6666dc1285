"""Names of tools that a server takes only up to a length: shortened on the way out, and given back whole in the answer."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

_HASHED: Final = 8


class ToolNames:
    """The names of one request's tools."""

    __slots__ = ("_longest", "whole")

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self.whole: dict[str, str] = {}
        """The whole names of those that were shortened."""

    def short(self, name: str) -> str:
        """The name as the server takes it: its begin, and a hash that tells it from others of the same begin."""
        if not self._longest or len(name) <= self._longest:
            return name
        digest = sha256(name.encode()).hexdigest()[:_HASHED]
        shortened = f"{name[: self._longest - _HASHED - 1]}_{digest}"
        self.whole[shortened] = name
        return shortened
