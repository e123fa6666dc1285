"""What observability needs from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from llm_mesh.observability.v1 import observability_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_observability.domain.queries import Scope, SpendQuery
from llm_mesh_runtime.resources import Page


@dataclass(frozen=True, slots=True)
class Sighting:
    """An entry, and the sequence of its last event."""

    sequence: int
    entry: usage_pb2.LedgerEntry


class Projection(Protocol):
    """The store of the projection."""

    async def ingest(self, events: Sequence[usage_pb2.UsageEvent], *, live: bool) -> int:
        """Takes events in, for good; older versions of an entry than the known one are ignored. Answers with the last sequence of them.

        Live events come in order from where the last ones ended; while the projection catches up they do not tell how far it is.
        """
        ...

    async def begin_catching_up(self, *, anew: bool) -> int:
        """Remembers that older events are missing; forgets everything but feedback first where it is to begin `anew`.

        Answers with the sequence up to which everything is known.
        """
        ...

    async def end_catching_up(self) -> None:
        """Nothing is missing any more."""
        ...

    async def through(self) -> int:
        """The sequence up to which everything is known."""
        ...

    async def latest(self) -> int:
        """The newest sequence of any entry; 0 where there is none."""
        ...

    async def spend(self, query: SpendQuery) -> Sequence[observability_pb2.SpendRow]:
        """Sums, in the documented order."""
        ...

    async def since(self, scope: Scope, sequence: int, limit: int) -> Sequence[Sighting]:
        """Entries whose last event is newer, oldest first."""
        ...

    async def skip(self, scope: Scope, sequence: int, most: int) -> tuple[int, int]:
        """Passes over entries of the scope after a sequence until at most so many are left: how many, and from where to go on."""
        ...

    async def last(self, scope: Scope, count: int) -> Sequence[Sighting]:
        """The newest entries, oldest first."""
        ...

    async def entry(self, name: str) -> usage_pb2.LedgerEntry:
        """The entry; REQUEST_NOT_FOUND where it is not known."""
        ...

    async def add_feedback(self, request: str, feedback: observability_pb2.Feedback) -> observability_pb2.Feedback:
        """Keeps feedback on a request that is known."""
        ...

    async def feedback(self, request: str, page: Page) -> Sequence[observability_pb2.Feedback]:
        """Feedback on a request, oldest first; the page's key is the name's last part."""
        ...


class LedgerOfRecord(Protocol):
    """Policy's usage events, which can be read again from any sequence on."""

    def replay(self, from_sequence: int) -> AsyncIterator[Sequence[usage_pb2.UsageEvent]]:
        """All usage events from a sequence on, oldest first."""
        ...
