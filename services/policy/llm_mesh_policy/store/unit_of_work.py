"""A unit of work in SQL: the stores of all slices write in it by the connection of its one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from llm_mesh_policy.domain.unit_of_work import UnitOfWork
    from llm_mesh_runtime.database import Database


class SqlUnitOfWork:
    """The transaction that a connection is in."""

    __slots__ = ("_database", "connection")

    def __init__(self, connection: Connection, database: Database) -> None:
        self.connection = connection
        self._database = database

    def now(self) -> int:
        """The store's time in microseconds since 1970 UTC."""
        return self._database.now(self.connection)


def connection_of(unit: UnitOfWork) -> Connection:
    """The connection by which the stores of slices write in a unit of work."""
    if not isinstance(unit, SqlUnitOfWork):
        raise TypeError(f"{type(unit).__name__} is no unit of work in SQL")
    return unit.connection
