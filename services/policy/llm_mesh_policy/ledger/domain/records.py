"""What the audit trail says of the ledger's decisions."""

from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.reservation import Reservation


def reserved(reservation: Reservation, *, allowed: bool, detail: str, now: int) -> AuditEntry:
    """A reservation or an extension was made or refused."""
    return AuditEntry(
        domain=reservation.domain,
        action="requests.reserve",
        resource=reservation.entry.name,
        allowed=allowed,
        principal=reservation.principal,
        key=reservation.key,
        detail=detail,
        request_id=reservation.request_id,
        time=now,
    )


def closed(charged: Reservation, budget: str, now: int) -> AuditEntry:
    """A budget was closed by a charge."""
    detail = f"{charged.entry.name} was charged more than was reserved"
    return AuditEntry(
        domain=charged.domain,
        action="budgets.close",
        resource=budget,
        allowed=True,
        detail=detail,
        request_id=charged.request_id,
        time=now,
    )
