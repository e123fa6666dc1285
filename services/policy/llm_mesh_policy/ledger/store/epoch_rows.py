"""Epochs of gateway instances: when each was last heard of, and what those hold that are gone."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select

from llm_mesh_policy.ledger.domain.reservation import HELD, Reservation
from llm_mesh_policy.ledger.store import entry_rows
from llm_mesh_policy.ledger.store.tables import entries, epochs
from llm_mesh_runtime.database import upsert

_BATCH = 200
_UNKNOWN_SINCE = (
    select(entries.c.epoch)
    .distinct()
    .outerjoin(epochs, epochs.c.epoch == entries.c.epoch)
    .where(
        entries.c.state == HELD,
        ((epochs.c.epoch.is_(None)) & (entries.c.reserve_time < bindparam("since"))) | (epochs.c.seen_time < bindparam("since")),
    )
)
_HELD_BY = (
    select(*entry_rows.columns())
    .where(entries.c.state == HELD, entries.c.epoch.in_(bindparam("epochs", expanding=True)))
    .order_by(entries.c.id)
    .limit(_BATCH)
)


def seen(connection: Connection, epoch: str, instance: str, moment: int) -> None:
    """Notes that an instance was heard of; 0: that it has ended."""
    update = ["instance", "seen_time"] if instance else ["seen_time"]
    upsert(connection, epochs, {"epoch": epoch, "instance": instance, "seen_time": moment}, key=["epoch"], update=update)


def silent(connection: Connection, since: int) -> list[str]:
    """Epochs that hold reservations and were not heard of since; also those never heard of, by their reservations' age."""
    return list(connection.execute(_UNKNOWN_SINCE, {"since": since}).scalars())


def held_by(connection: Connection, lost: Sequence[str]) -> list[Reservation]:
    """Some of what epochs hold; to be called until nothing is left."""
    if not lost:
        return []
    return [entry_rows.reservation_of(row) for row in connection.execute(_HELD_BY, {"epochs": list(lost)})]


def forget(connection: Connection, before: int) -> int:
    """Removes epochs that were last heard of long ago and hold nothing."""
    holding = select(entries.c.epoch).where(entries.c.state == HELD)
    return connection.execute(delete(epochs).where(epochs.c.seen_time < before, epochs.c.epoch.not_in(holding))).rowcount
