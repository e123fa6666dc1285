"""Meters as rows: found by whom they bind, written as the domain has decided."""

from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from llm_mesh_policy.domain.ledger.meters import Meter, Posting
from llm_mesh_policy.store.ledger_tables import meters
from llm_mesh_runtime.database import Prepared

_COLUMNS = (
    meters.c.name,
    meters.c.subject,
    meters.c.metric,
    meters.c.amount,
    meters.c.period,
    meters.c.generation,
    meters.c.window,
    meters.c.spent,
    meters.c.held,
)
PLATFORM = "domains/platform"
_SLOTS = 12
_ANY = tuple(f"subject_{number}" for number in range(_SLOTS))
_BINDING = Prepared(select(*_COLUMNS).where(meters.c.subject.in_([bindparam(slot) for slot in _ANY])))
_BINDING_MANY = select(*_COLUMNS).where(meters.c.subject.in_(bindparam("subjects", expanding=True)))
_STAND = Prepared(
    update(meters)
    .where(meters.c.name == bindparam("of_name"))
    .values(window=bindparam("to_window"), spent=bindparam("to_spent"), held=bindparam("to_held"))
)
_POST = Prepared(
    update(meters)
    .where(
        meters.c.name == bindparam("of_name"), meters.c.generation == bindparam("of_generation"), meters.c.window == bindparam("of_window")
    )
    .values(spent=meters.c.spent + bindparam("add_spent"), held=meters.c.held + bindparam("add_held"))
)


def binding(connection: Connection, domain: str, subjects: Collection[str]) -> list[Meter]:
    """The meters that bind any of the subjects: those of their domain, and the platform's."""
    if len(subjects) > _SLOTS:
        rows: Iterable[Any] = connection.execute(_BINDING_MANY, {"subjects": list(subjects)})
    else:
        rows = _BINDING.rows(connection, **dict(zip_longest(_ANY, subjects, fillvalue="")))
    ours = (domain + "/", PLATFORM + "/")
    return [Meter(*row) for row in rows if row[0].startswith(ours)]


def stand(connection: Connection, changed: Iterable[Meter]) -> None:
    """Writes how meters stand now. Only for who read them in this transaction, behind the ledger's lock."""
    for each in changed:
        _STAND.change(connection, of_name=each.name, to_window=each.window, to_spent=each.spent, to_held=each.held)


def post(connection: Connection, postings: Iterable[Posting]) -> None:
    """Adds to meters, where they are still the ones that were held of."""
    for each in postings:
        _POST.change(
            connection,
            of_name=each.meter,
            of_generation=each.generation,
            of_window=each.window,
            add_spent=each.spent,
            add_held=each.held,
        )


def columns() -> Sequence[Any]:
    """The columns that make up a meter."""
    return _COLUMNS
