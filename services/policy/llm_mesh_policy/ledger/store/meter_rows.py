"""Meters as rows: found by whom they bind, written as the domain has decided."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from llm_mesh_figures.money import MAX_AMOUNT
from llm_mesh_policy.ledger.domain.meters import Meter
from llm_mesh_policy.ledger.store.tables import meters
from llm_mesh_runtime.database import Rows

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
    meters.c.closed,
    meters.c.tag_scope,
)
_BINDING = select(*_COLUMNS).where(meters.c.subject.in_(bindparam("subjects", expanding=True)))
STAND = Rows(
    'UPDATE ledger_meters SET "window" = v.column2, spent = v.column3, held = v.column4 '
    "FROM (VALUES {rows}) AS v WHERE ledger_meters.name = v.column1",
    columns=4,
)
"""How meters stand. Only for who read them in this transaction, behind the ledger's lock."""
POST = Rows(
    f"UPDATE ledger_meters SET spent = CASE WHEN spent + v.column4 > {MAX_AMOUNT} THEN {MAX_AMOUNT} ELSE spent + v.column4 END, "  # noqa: S608
    f"held = CASE WHEN held + v.column5 > {MAX_AMOUNT} THEN {MAX_AMOUNT} ELSE held + v.column5 END FROM (VALUES {{rows}}) AS v "
    'WHERE ledger_meters.name = v.column1 AND ledger_meters.generation = v.column2 AND ledger_meters."window" = v.column3',
    columns=5,
)
"""Adds to meters, where they are still the ones that were held of. Figures stop at the largest amount: twice as much overflows nowhere."""


def binding(connection: Connection, subjects: Collection[str]) -> list[Meter]:
    """The meters of subjects, whoever made them."""
    return [Meter(*row) for row in connection.execute(_BINDING, {"subjects": list(subjects)})]


def close(connection: Connection, names: Collection[str], now: int) -> None:
    """Closes budgets that are open."""
    open_ones = meters.c.name.in_(list(names)) & (meters.c.closed == 0)
    connection.execute(update(meters).where(open_ones).values(closed=now))


def columns() -> Sequence[Any]:
    """The columns that make up a meter."""
    return _COLUMNS
