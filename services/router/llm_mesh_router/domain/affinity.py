"""Keeps the requests of a session at one target, by rendezvous hashing, without remembering where a session has been.

Each pair of session and target has a number of its own, and the numbers decide as drawn ones would. So sessions spread by weight; a target
that goes away moves its own sessions and no others, and has them back when it returns.
"""

from __future__ import annotations

from hashlib import blake2b

_BYTES = 8
_NUMBERS = float(1 << (8 * _BYTES))


class Affinity:
    """The numbers of one session, 0 to 1. A session belongs to its domain: another domain's of the same name is another session."""

    __slots__ = ("_begun",)

    def __init__(self, domain: str, session: str) -> None:
        self._begun = blake2b(f"{domain}\0{session}\0".encode(), digest_size=_BYTES)

    def number(self, target: str) -> float:
        """That of a target, by its name."""
        whole = self._begun.copy()
        whole.update(target.encode())
        return (int.from_bytes(whole.digest()) + 0.5) / _NUMBERS
