"""Ids of tool calls, which the dialect does not have: made for the caller, and translated to the name of the tool on the way back."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

_LENGTH: Final = 24


def made_id(moment: str, number: int, name: str, arguments: str) -> str:
    """The same id for the same call of the same answer, whole or streamed. `moment` is when the server says that it made it."""
    return f"call_{sha256(f'{moment}/{number}/{name}/{arguments}'.encode('utf-8', 'replace')).hexdigest()[:_LENGTH]}"


class CallNames:
    """The tools that a conversation has called, by the id of the call."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def note(self, call_id: str, name: str) -> None:
        """A call of an earlier turn."""
        self._names[call_id] = name

    def of(self, call_id: str) -> str:
        """The tool whose result this is; empty where no turn called it."""
        return self._names.get(call_id, "")
