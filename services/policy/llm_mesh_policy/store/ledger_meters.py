"""Meters as rows: found by whom they bind, written as the domain has decided."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from llm_mesh_policy.domain.ledger.meters import Meter, Posting
from llm_mesh_policy.store.ledger_tables import meters

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
_BINDING = (
    select(*_COLUMNS)
    .where(meters.c.subject.in_(bindparam("subjects", expanding=True)), meters.c.domain.in_((bindparam("domain"), PLATFORM)))
    .order_by(meters.c.name)
)
_STAND = (
    update(meters)
    .where(meters.c.name == bindparam("of_name"))
    .values(window=bindparam("to_window"), spent=bindparam("to_spent"), held=bindparam("to_held"))
)
_POST = (
    update(meters)
    .where(
        meters.c.name == bindparam("of_name"), meters.c.generation == bindparam("of_generation"), meters.c.window == bindparam("of_window")
    )
    .values(spent=meters.c.spent + bindparam("add_spent"), held=meters.c.held + bindparam("add_held"))
)


def binding(connection: Connection, domain: str, subjects: Iterable[str]) -> list[Meter]:
    """The meters that bind any of the subjects: those of their domain, and the platform's."""
    rows = connection.execute(_BINDING, {"subjects": list(subjects), "domain": domain})
    return [Meter(*row) for row in rows]


def stand(connection: Connection, changed: Sequence[Meter]) -> None:
    """Writes how meters stand now. Only for who read them in this transaction, behind the ledger's lock."""
    if changed:
        rows = [{"of_name": each.name, "to_window": each.window, "to_spent": each.spent, "to_held": each.held} for each in changed]
        connection.execute(_STAND, rows)


def post(connection: Connection, postings: Sequence[Posting]) -> None:
    """Adds to meters, where they are still the ones that were held of."""
    if postings:
        connection.execute(
            _POST,
            [
                {
                    "of_name": each.meter,
                    "of_generation": each.generation,
                    "of_window": each.window,
                    "add_spent": each.spent,
                    "add_held": each.held,
                }
                for each in postings
            ],
        )


def columns() -> Sequence[Any]:
    """The columns that make up a meter."""
    return _COLUMNS
