"""What requests want of the ledger: each is decided within the transaction of its group."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.domain.audit import AuditEntry
from llm_mesh_policy.domain.ledger.ports import Draft
from llm_mesh_policy.domain.ledger.quote import Line
from llm_mesh_policy.domain.ledger.reservation import Reservation
from llm_mesh_policy.store.ledger_group import Group


@dataclass(slots=True)
class Wanted:
    """Something that one request wants of a reservation."""

    id: str


@dataclass(slots=True)
class Reserve(Wanted):
    """To make it."""

    draft: Draft
    subjects: Sequence[str]


@dataclass(slots=True)
class OfKnown(Wanted):
    """Something that is done to a reservation which may be known from its making."""

    known: Reservation | None

    def take(self, group: Group) -> Reservation | None:
        """The reservation, which from now on is the group's: where the group is undone, what is known of it counts no more."""
        known, self.known = self.known, None
        return group.find(self.id, known)


@dataclass(slots=True)
class Extend(OfKnown):
    """To add an attempt."""

    admission_id: str
    expires: int
    line: Line


@dataclass(slots=True)
class Settle(OfKnown):
    """To charge it."""

    lines: Sequence[usage_pb2.UsageLine]
    screened: Sequence[usage_pb2.ScreeningCount]


@dataclass(slots=True)
class Release(OfKnown):
    """To give it back."""


@dataclass(slots=True)
class Refuse(Wanted):
    """To write that it was refused before it was made."""

    refused: Reservation
    audit: AuditEntry


Request = Reserve | Extend | Settle | Release | Refuse
