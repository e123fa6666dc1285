"""A transaction of a lane, by the driver itself: SQLAlchemy's own costs more than the statements of a small group.

SQLAlchemy joins in where a work executes something through it, and then commits or rolls back what the driver has begun.
"""

from __future__ import annotations

from types import TracebackType

from sqlalchemy import Connection

from llm_mesh_runtime.database.opened import Opened, opened
from llm_mesh_runtime.database.prepared import raised


class DatabaseTransaction:
    """What was begun on a connection; undone where it is left without a commit."""

    __slots__ = ("_connection", "_open")

    def __init__(self, connection: Opened) -> None:
        self._connection = connection
        self._open = True

    def __enter__(self) -> None:
        """It was begun already."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._open:
            self.rollback()

    def commit(self) -> None:
        """Makes it durable. Where it raises, as SQLAlchemy would, the transaction may still be open in the engine."""
        if self._connection.in_transaction():
            self._connection.commit()
        else:
            self._end("commit")
        self._open = False

    def rollback(self) -> None:
        """Undoes it."""
        self._open = False
        undo(self._connection)
        joined = self._connection.get_transaction()
        if joined is not None:
            joined.close()
        if not self._connection.invalidated:
            self._end("rollback")  # by the driver too: after a commit that failed SQLAlchemy holds the transaction for ended

    def _end(self, how: str) -> None:
        try:
            getattr(self._connection.driver, how)()
        except self._connection.dialect.loaded_dbapi.Error as error:
            raise raised(self._connection, how, error) from error


def standing(connection: Connection) -> object:
    """Stays the same while nothing that was written on a connection was undone: who remembers what it wrote may then rely on it."""
    return opened(connection).standing


def undo(connection: Opened) -> None:
    """Notes that something is undone."""
    connection.standing = object()
