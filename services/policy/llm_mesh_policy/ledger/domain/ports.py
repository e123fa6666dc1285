"""What the ledger needs of the world: a store, prices, and readers of its events."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.offers import Served
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.reservation import Reservation


class ReservationDraft(NamedTuple):
    """A reservation before the limits are checked."""

    reservation: Reservation
    epoch: str
    expires: int
    """When the admission stops to count, in microseconds: the store's clock judges."""
    idempotency_key: str = ""
    request_digest: bytes = b""


class HeldReservation(NamedTuple):
    """A reservation that stands."""

    reservation: Reservation
    limits: Sequence[policy_pb2.LimitStatus]
    now: int


class Settled(NamedTuple):
    """An entry that is charged; `repeated` where it was before this call."""

    entry: usage_pb2.LedgerEntry
    repeated: bool
    candidates: int = 1
    """How many choices each attempt was asked for."""


class Why(NamedTuple):
    """Why nothing of a request was sent."""

    lines: Sequence[usage_pb2.UsageLine] = ()
    """The attempts that no adapter sent."""
    reason: str = ""
    """Why there was no attempt."""
    field: str = ""
    unreserved: "Unreserved | None" = None
    """What to write where the reservation was never made."""


NOTHING_TOLD = Why()


class Unreserved(NamedTuple):
    """A request that ended before it was reserved, and in which screening found something."""

    reservation: Reservation
    """Refused, with what was found."""
    audit: AuditEntry


class Ledger(Protocol):
    """The ledger of record. Each method answers after its durable commit; refusals are raised and hold nothing."""

    async def reserve(self, draft: ReservationDraft) -> HeldReservation:
        """Holds the worst case against all limits at once."""

    async def extend(self, reservation_id: str, admission_id: str, expires: int, line: QuoteLine) -> HeldReservation:
        """Adds an attempt to a held reservation."""

    async def settle(
        self, reservation_id: str, lines: Sequence[usage_pb2.UsageLine], screened: Sequence[usage_pb2.ScreeningCount] = ()
    ) -> Settled:
        """Charges what was used, and keeps what screening found in the answer."""

    async def release(self, reservation_id: str, why: Why = NOTHING_TOLD) -> usage_pb2.ReservationState:
        """Gives back, before or after the reservation, and keeps why."""

    async def heartbeat(self, epoch: str, instance: str, replaces: str, *, closing: bool) -> int:
        """Keeps an epoch alive, or ends epochs; answers with the store's time."""


class ProductRegistry(Protocol):
    """Where models and price versions come from."""

    async def served(self, name: str, domain: str) -> Served | None:
        """By what a domain is served under a model's name, as last heard; asked for where it was never heard of."""

    async def fresh(self, name: str, domain: str) -> Served | None:
        """By what a domain is served under a model's name, asked for now."""

    async def price(self, name: str) -> registry_pb2.Price | None:
        """A price version; they never change."""


class UsageReader(Protocol):
    """Who is told of usage: observability."""

    async def ingest(self, events: Sequence[usage_pb2.UsageEvent]) -> int:
        """Takes events for good; answers with the sequence up to which it has all."""


class SealMaker(Protocol):
    """Proofs that a message was made here, for one audience each."""

    def knows(self, audience: str) -> bool:
        """Whether there is a key for the audience."""

    def seal(self, audience: str, kind: str, payload: bytes) -> bytes:
        """The proof."""
