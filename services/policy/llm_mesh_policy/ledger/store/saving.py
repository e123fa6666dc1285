"""Saves what was decided in a view, in a few statements."""

from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.ledger.domain.reservation import Reservation
from llm_mesh_policy.ledger.domain.view import LedgerView
from llm_mesh_policy.ledger.store import entry_rows, idempotency_keys, meter_rows
from llm_mesh_policy.ledger.store.loading import OtherSlices
from llm_mesh_policy.store.unit_of_work import connection_of


def save(unit: UnitOfWork, accounts: OtherSlices, view: LedgerView) -> None:
    """What was inserted is written as it stands at the end of its group, however often it was changed in it."""
    connection = connection_of(unit)
    inserted = []
    for name, (epoch, sequence) in view.inserted.items():
        inserted.append(entry_rows.new_row(_reservation(view, name), epoch, view.changed.get(name, sequence)))
    entry_rows.INSERT.write(connection, inserted)
    for place, draft in view.bound_keys.items():
        idempotency_keys.bind(connection, place, draft, view.now)
    for name in view.grown.difference(view.inserted):
        entry_rows.grow(connection, _reservation(view, name))
    changed = [entry_rows.changed_row(_reservation(view, name), at) for name, at in view.changed.items() if name not in view.inserted]
    if changed:
        entry_rows.CHANGE.write(connection, changed)
    if view.standing:
        standing = [view.meters[name] for name in sorted(view.standing)]
        meter_rows.STAND.write(connection, [(each.name, each.window, each.spent, each.held) for each in standing])
    if view.posted:
        meter_rows.POST.write(connection, [(*place, *change) for place, change in sorted(view.posted.items())])
    if view.closed:
        meter_rows.close(connection, view.closed, view.now)
    if view.audit:
        accounts.extend_audit(unit, view.audit)


def _reservation(view: LedgerView, name: str) -> Reservation:
    reservation = view.reservations[name]
    if reservation is None:
        raise LookupError(name)
    return reservation
