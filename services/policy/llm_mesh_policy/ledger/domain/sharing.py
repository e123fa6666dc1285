"""What the platform lets domains share: consent of both domains is not enough where a floor forbids it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from llm_mesh.policy.v1 import floors_pb2

_MOST = 16_384


class Floors(Protocol):
    """What the platform sets about domains, at one revision."""

    def floor_of(self, domain: str) -> floors_pb2.Floor | None:
        """What it sets about one; None: nothing."""


class Sharing:
    """Whether a domain may be served by another, found out once a revision."""

    def __init__(self, floors: Callable[[], Floors]) -> None:
        self._floors = floors
        self._revision: Floors | None = None
        self._known: dict[tuple[str, str], bool] = {}

    def is_allowed(self, publisher: str, receiver: str) -> bool:
        """Whether the floors of both let the one serve the other."""
        floors = self._floors()
        if floors is not self._revision or len(self._known) >= _MOST:
            self._revision, self._known = floors, {}
        pair = (publisher, receiver)
        known = self._known.get(pair)
        if known is None:
            known = self._known[pair] = _allows(floors, publisher, receiver)
        return known


def _allows(floors: Floors, publisher: str, receiver: str) -> bool:
    offering, accepting = floors.floor_of(publisher), floors.floor_of(receiver)
    receivers = offering.may_publish_to if offering is not None else ()
    publishers = accepting.may_accept_from if accepting is not None else ()
    return (not receivers or receiver in receivers) and (not publishers or publisher in publishers)
