"""How much of long messages a connection holds before they are whole: beyond it they wait for each other, in order."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

MOST = 64 * 1024 * 1024


class PartialMessage(Protocol):
    """A message in pieces."""

    def admit(self, amount: int) -> None:
        """There is room for the rest of it."""


class ReceiveBudget:
    """Shared by the calls of a connection."""

    __slots__ = ("_admitted", "_most", "_taken", "_waiting")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._taken = 0
        self._admitted: dict[PartialMessage, int] = {}
        self._waiting: OrderedDict[PartialMessage, int] = OrderedDict()

    @property
    def taken(self) -> int:
        """Bytes that are promised to messages which are not whole yet."""
        return self._taken

    def want(self, message: PartialMessage, amount: int) -> None:
        """Admit the rest of a message now, or when others have left. One is admitted always, however long."""
        self._waiting[message] = amount
        self._admit()

    def left(self, message: PartialMessage) -> None:
        """A message is whole, or given up."""
        self._waiting.pop(message, None)
        self._taken -= self._admitted.pop(message, 0)
        self._admit()

    def _admit(self) -> None:
        while self._waiting:
            message, amount = next(iter(self._waiting.items()))
            if self._admitted and self._taken + amount > self._most:
                return
            del self._waiting[message]
            self._admitted[message] = amount
            self._taken += amount
            message.admit(amount)
