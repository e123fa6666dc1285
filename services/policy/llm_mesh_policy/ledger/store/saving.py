"""Saves what was decided in a view, in a few statements."""

from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.ledger.domain.view import LedgerView
from llm_mesh_policy.ledger.store import entry_rows, idempotency_keys, meter_rows
from llm_mesh_policy.ledger.store.loading import OtherSlices
from llm_mesh_policy.store.unit_of_work import connection_of


def save(unit: UnitOfWork, accounts: OtherSlices, view: LedgerView) -> None:
    """What was inserted is written as it stands at the end of its group, however often it was changed in it."""
    connection = connection_of(unit)
    present = {name: each for name, each in view.reservations.items() if each is not None}
    places, changed = view.inserted, view.changed
    rows = [entry_rows.new_row(present[name], epoch, changed.get(name, place)) for name, (epoch, place) in places.items()]
    entry_rows.INSERT.write(connection, rows)
    for key_place, draft in view.bound_keys.items():
        idempotency_keys.bind(connection, key_place, draft, view.now)
    for name in view.grown.difference(places):
        entry_rows.grow(connection, present[name])
    if rows := [entry_rows.changed_row(present[name], place) for name, place in changed.items() if name not in places]:
        entry_rows.CHANGE.write(connection, rows)
    if view.standing:
        standing = [view.meters[name] for name in sorted(view.standing)]
        meter_rows.STAND.write(connection, [(each.name, each.window, each.spent, each.held) for each in standing])
    if view.posted:
        meter_rows.POST.write(connection, [(*place, *change) for place, change in sorted(view.posted.items())])
    if view.closed:
        meter_rows.close(connection, view.closed, view.now)
    if view.audit:
        accounts.extend_audit(unit, view.audit)
