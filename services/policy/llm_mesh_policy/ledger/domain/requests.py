"""Changes of reservations that calls ask for: each is decided by the view that is loaded for its group."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.ports import ReservationDraft, Why
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.reservation import Reservation


@dataclass(slots=True)
class LedgerRequest:
    """One change of a reservation, asked for by one call."""

    id: str


@dataclass(slots=True)
class Reserve(LedgerRequest):
    """Makes a reservation."""

    draft: ReservationDraft
    subjects: Sequence[str]


@dataclass(slots=True)
class KnownReservationRequest(LedgerRequest):
    """Something that is done to a reservation which may be known from its making."""

    known: Reservation | None
    """Until its group is loaded: what a group changes of it in memory is nothing to start from again where the group is undone."""


@dataclass(slots=True)
class Extend(KnownReservationRequest):
    """To add an attempt."""

    admission_id: str
    expires: int
    line: QuoteLine


@dataclass(slots=True)
class Settle(KnownReservationRequest):
    """Charges a reservation."""

    lines: Sequence[usage_pb2.UsageLine]
    screened: Sequence[usage_pb2.ScreeningCount]


@dataclass(slots=True)
class Release(KnownReservationRequest):
    """Gives a reservation back."""

    why: Why


@dataclass(slots=True)
class Refuse(LedgerRequest):
    """To write that it was refused before it was made."""

    refused: Reservation
    audit: AuditEntry


Request = Reserve | Extend | Settle | Release | Refuse
