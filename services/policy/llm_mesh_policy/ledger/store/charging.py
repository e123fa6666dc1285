"""What follows from a charge beside its postings: budgets that were made later follow its corrections, and overrun ones are closed."""

from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain import amounts
from llm_mesh_policy.ledger.domain.reservation import Reservation
from llm_mesh_policy.ledger.store.group import Group


def join(group: Group, ended: Reservation) -> None:
    """Lets budgets that were made after a reservation had ended follow its corrections."""
    ended.join(group.binding(ended.domain, amounts.bound(ended.lines, ended.subjects)))


def close(group: Group, charged: Reservation) -> None:
    """Closes the budgets of projects that are charged more than was reserved for them."""
    if not charged.entry.overrun:
        return
    for name in group.close(charged.domain, charged.overrun_by):
        group.record(_closing(charged, name, group.now))


def _closing(charged: Reservation, budget: str, now: int) -> AuditEntry:
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
