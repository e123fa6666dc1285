"""Reservations as rows. Statements are built once, so that SQLAlchemy compiles each of them once."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.domain.ledger.meters import Hold
from llm_mesh_policy.domain.ledger.quote import Line
from llm_mesh_policy.domain.ledger.rates import Rates
from llm_mesh_policy.domain.ledger.reservation import RELEASED, Reservation
from llm_mesh_policy.store.ledger_tables import entries
from llm_mesh_runtime.database import Prepared

_NEXT = select(func.coalesce(func.max(entries.c.sequence), 0) + 1).scalar_subquery()
_ALL = (entries.c.domain, entries.c.project, entries.c.id, entries.c.version, entries.c.entry, entries.c.lines, entries.c.holds)
_COLUMNS = ("domain", "project", "id", "state", "epoch", "request_id", "reserved", "charged", "shared")
_INSERTED: dict[str, Any] = {name: bindparam(name) for name in (*_COLUMNS, "reserve_time", "version", "entry", "lines", "holds")}

_DIALECTS = (("sqlite", sqlite), ("postgresql", postgresql))
_INSERTS: Mapping[str, Prepared] = {
    name: Prepared(dialect.insert(entries).values(**_INSERTED, sequence=_NEXT).on_conflict_do_nothing()) for name, dialect in _DIALECTS
}
_TOMBSTONES: Mapping[str, Prepared] = {
    name: Prepared(dialect.insert(entries).values(**_INSERTED).on_conflict_do_nothing()) for name, dialect in _DIALECTS
}
_FIND = Prepared(select(*_ALL).where(entries.c.id == bindparam("of_id")))
_CHANGE = Prepared(
    update(entries)
    .where(entries.c.id == bindparam("of_id"), entries.c.version < bindparam("to_version"))
    .values(
        state=bindparam("to_state"),
        charged=bindparam("to_charged"),
        version=bindparam("to_version"),
        entry=bindparam("to_entry"),
        sequence=_NEXT,
    )
)
_GROW = (
    update(entries)
    .where(entries.c.id == bindparam("of_id"))
    .values(reserved=bindparam("to_reserved"), shared=bindparam("to_shared"), lines=bindparam("to_lines"), holds=bindparam("to_holds"))
)


def insert(connection: Connection, reservation: Reservation, epoch: str) -> bool:
    """Writes a new reservation; False where its id is taken, and nothing is written."""
    return _INSERTS[connection.dialect.name].change(connection, **_row(reservation, epoch)) > 0


def bury(connection: Connection, reservation_id: str, now: int) -> bool:
    """Writes that a reservation was released before it was made; False where it exists."""
    entry = usage_pb2.LedgerEntry(state=RELEASED)
    entry.reserve_time.FromMicroseconds(now)
    tombstone = Reservation(id=reservation_id, domain="", project="", entry=entry, lines=())
    return _TOMBSTONES[connection.dialect.name].change(connection, **_row(tombstone, "")) > 0


def exhume(connection: Connection, before: int) -> int:
    """Removes early releases older than any admission, so that no `Reserve` can come for them any more."""
    early = (entries.c.domain == "", entries.c.project == "", entries.c.reserve_time < before)
    return connection.execute(delete(entries).where(*early)).rowcount


def find(connection: Connection, reservation_id: str) -> Reservation | None:
    """The reservation of an id, whoever's it is."""
    row = _FIND.first(connection, of_id=reservation_id)
    return None if row is None else reservation_of(row)


def change(connection: Connection, reservation: Reservation) -> None:
    """Writes what became of a reservation, and puts it at the end of the outbox."""
    entry = reservation.entry
    _CHANGE.change(
        connection,
        of_id=reservation.id,
        to_state=entry.state,
        to_charged=entry.charged.nanos,
        to_version=reservation.version,
        to_entry=entry.SerializeToString(),
    )


def grow(connection: Connection, reservation: Reservation) -> None:
    """Writes what was added to a reservation, without a version of its own: `change` follows."""
    connection.execute(
        _GROW,
        {
            "of_id": reservation.id,
            "to_reserved": reservation.entry.reserved.nanos,
            "to_shared": is_shared(reservation),
            "to_lines": orjson.dumps(reservation.lines).decode(),
            "to_holds": orjson.dumps(reservation.holds).decode(),
        },
    )


def reservation_of(row: Sequence[Any]) -> Reservation:
    """The reservation of a row with the columns of `columns`."""
    domain, project, reservation_id, version, entry, lines, holds = row
    return Reservation(
        id=reservation_id,
        domain=domain,
        project=project,
        entry=usage_pb2.LedgerEntry.FromString(entry),
        lines=tuple(_line(line) for line in orjson.loads(lines)),
        holds=tuple(Hold(**hold) for hold in orjson.loads(holds)),
        version=version,
    )


def columns() -> tuple[Any, ...]:
    """The columns that make up a reservation."""
    return _ALL


def is_shared(reservation: Reservation) -> bool:
    """Whether another project than the caller's pays a part."""
    return any(line.payer != reservation.project for line in reservation.lines)


def _line(stored: dict[str, Any]) -> Line:
    return Line(**(stored | {"rates": Rates(**stored["rates"])}))


def _row(reservation: Reservation, epoch: str) -> dict[str, Any]:
    entry = reservation.entry
    return {
        "domain": reservation.domain,
        "project": reservation.project,
        "id": reservation.id,
        "state": entry.state,
        "epoch": epoch,
        "request_id": entry.request_id,
        "reserved": entry.reserved.nanos,
        "charged": entry.charged.nanos,
        "shared": is_shared(reservation),
        "reserve_time": entry.reserve_time.ToMicroseconds(),
        "version": reservation.version,
        "entry": entry.SerializeToString(),
        "lines": orjson.dumps(reservation.lines).decode(),
        "holds": orjson.dumps(reservation.holds).decode(),
    }
