"""Column types and statements that mean the same on SQLite and PostgreSQL.

Money is int64 nano-units and time is int64 microseconds since 1970 UTC: both engines store, compare and sum them exactly.
"""

import importlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Connection, Integer, Select, Table

T = TypeVar("T", bound=tuple[Any, ...])

Nanos = BigInteger
"""An amount of money in nano-units of its currency."""

Instant = BigInteger
"""A moment in microseconds since 1970 UTC; `Database.now` gives the present one."""

Counter = BigInteger().with_variant(Integer, "sqlite")
"""A generated key: SQLite numbers rows by itself only where the type is INTEGER."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """A moment as it is stored; it must have a time zone."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(stored: int) -> datetime:
    """A stored moment, in UTC."""
    return _EPOCH + stored * _MICROSECOND


def upsert(
    connection: Connection,
    table: Table,
    rows: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str],
    update: Sequence[str] | None = None,
) -> int:
    """Inserts rows; where `key` is taken, overwrites `update` (default: all given columns but the key; empty: leaves the row).

    Answers how many rows were inserted or overwritten.
    """
    values = [rows] if isinstance(rows, Mapping) else list(rows)
    if not values:
        return 0
    # Each dialect takes 50 ms to import, and has been imported where it is used.
    insert = importlib.import_module(f"sqlalchemy.dialects.{connection.dialect.name}").insert(table)
    changed = [column for column in values[0] if column not in key] if update is None else list(update)
    if changed:
        statement = insert.on_conflict_do_update(index_elements=list(key), set_={name: insert.excluded[name] for name in changed})
    else:
        statement = insert.on_conflict_do_nothing(index_elements=list(key))
    return connection.execute(statement.execution_options(preserve_rowcount=True), values if len(values) > 1 else values[0]).rowcount


def for_update(statement: Select[T], *, skip_locked: bool = False) -> Select[T]:
    """Locks the selected rows until the commit. On SQLite, where one writer works at a time, it changes nothing."""
    return statement.with_for_update(skip_locked=skip_locked)
