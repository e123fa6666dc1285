"""Reservations as rows."""

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, select, update

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.domain.instants import micros_of
from llm_mesh_policy.ledger.domain.meters import Hold
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.rates import Rates
from llm_mesh_policy.ledger.domain.reservation import Reservation
from llm_mesh_policy.ledger.store.rate_rows import rates_in, stored_rates
from llm_mesh_policy.ledger.store.tables import entries
from llm_mesh_runtime.database import PreparedStatement, Rows

_ALL = (entries.c.domain, entries.c.project, entries.c.id, entries.c.version, entries.c.entry, entries.c.lines, entries.c.holds)
_NAMES = (
    "domain", "project", "id", "state", "epoch", "request_id", "reserved", "charged", "shared", "reserve_time", "version", "sequence",
    "entry", "lines", "holds",
)  # fmt: skip
INSERT = Rows(
    f"INSERT INTO ledger_entries ({', '.join(_NAMES)}) VALUES {{rows}}",  # noqa: S608 (names of columns only)
    columns=len(_NAMES),
    flags=[_NAMES.index("shared")],
)
"""New reservations, as `new_row` gives them."""
CHANGE = Rows(
    "UPDATE ledger_entries SET state = v.column2, charged = v.column3, version = v.column4, sequence = v.column5, entry = v.column6 "
    "FROM (VALUES {rows}) AS v WHERE ledger_entries.id = v.column1 AND ledger_entries.version < v.column4",
    columns=6,
)
"""What became of reservations, as `changed_row` gives them."""
_FIGURE_NAMES = tuple(field.name for field in fields(QuoteLine) if field.name not in {"rates", "units"})
_FIGURES = attrgetter(*_FIGURE_NAMES)
_FIND = PreparedStatement(select(*_ALL).where(entries.c.id == bindparam("of_id")))
_GROW = (
    update(entries)
    .where(entries.c.id == bindparam("of_id"))
    .values(reserved=bindparam("to_reserved"), shared=bindparam("to_shared"), lines=bindparam("to_lines"), holds=bindparam("to_holds"))
)


def new_row(reservation: Reservation, epoch: str, sequence: int | None) -> tuple[Any, ...]:
    """A reservation as it is inserted; without a sequence it is no event."""
    entry = reservation.entry
    return (
        reservation.domain,
        reservation.project,
        reservation.id,
        entry.state,
        epoch,
        reservation.request_id,
        reservation.reserved,
        entry.charged.nanos,
        int(is_shared(reservation)),
        reservation.time,
        reservation.version,
        sequence,
        bytearray(entry.SerializeToString()),
        _lines(reservation.lines),
        _holds(reservation),
    )


def changed_row(reservation: Reservation, sequence: int) -> tuple[Any, ...]:
    """What of a reservation's row changes with its state."""
    entry = reservation.entry
    body = bytearray(entry.SerializeToString())
    return reservation.id, entry.state, entry.charged.nanos, reservation.version, sequence, body


def mark_of(reservation: Reservation) -> tuple[int, int, str]:
    """What a row that still says the same as a reservation has as version, time and holds: nothing else changes by itself."""
    return reservation.version, reservation.time, _holds(reservation)


def purge_early_releases(connection: Connection, before: int) -> int:
    """Removes early releases older than any admission, so that no `Reserve` can come for them any more."""
    early = (entries.c.domain == "", entries.c.project == "", entries.c.reserve_time < before)
    return connection.execute(delete(entries).where(*early)).rowcount


def find(connection: Connection, reservation_id: str) -> Reservation | None:
    """The reservation of an id, whoever's it is."""
    row = _FIND.first(connection, of_id=reservation_id)
    return None if row is None else reservation_of(row)


def grow(connection: Connection, reservation: Reservation) -> None:
    """Writes what was added to a reservation, without a version of its own: `change` follows."""
    connection.execute(
        _GROW,
        {
            "of_id": reservation.id,
            "to_reserved": reservation.reserved,
            "to_shared": is_shared(reservation),
            "to_lines": _lines(reservation.lines),
            "to_holds": _holds(reservation),
        },
    )


def reservation_of(row: Sequence[Any]) -> Reservation:
    """The reservation of a row with the columns of `columns`."""
    domain, project, reservation_id, version, body, lines, holds = row
    entry = usage_pb2.LedgerEntry.FromString(body)
    return Reservation(
        id=reservation_id,
        domain=domain,
        project=project,
        key=entry.key,
        principal=entry.principal,
        request_id=entry.request_id,
        entry=entry,
        time=micros_of(entry.reserve_time),
        lines=tuple(_line(line) for line in orjson.loads(lines)),
        holds=tuple(Hold(**hold) for hold in orjson.loads(holds)),
        version=version,
    )


def columns() -> tuple[Any, ...]:
    """The columns that make up a reservation."""
    return _ALL


def is_shared(reservation: Reservation) -> bool:
    """Whether another project than the caller's pays a part."""
    return bool({line.payer for line in reservation.lines} - {reservation.project})


def _lines(lines: Sequence[QuoteLine]) -> str:
    """A quote as arrays in the order of its fields: half as long as with names, and each row is written twice."""
    return orjson.dumps([[*_FIGURES(line), stored_rates(line.rates, line.units)] for line in lines]).decode()


def _line(stored: list[Any] | dict[str, Any]) -> QuoteLine:
    """A line of a quote; what an earlier build wrote has names."""
    if isinstance(stored, dict):
        return QuoteLine(**(stored | {"rates": Rates(**stored["rates"])}))
    figures = dict(zip(_FIGURE_NAMES, stored[:-1], strict=False))  # rows of earlier builds lack the last ones
    rates, units = rates_in(stored[-1])
    return QuoteLine(rates=rates, units=units, **figures)


def _holds(reservation: Reservation) -> str:
    return orjson.dumps(reservation.holds).decode() if reservation.holds else "[]"
