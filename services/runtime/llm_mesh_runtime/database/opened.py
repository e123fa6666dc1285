"""The connection of a lane, which knows its driver's: to ask SQLAlchemy for it takes as long as a small statement."""

from typing import Any

from sqlalchemy import Connection, Engine


class Opened(Connection):
    """An open connection. Where it breaks, its lane opens another."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.driver: Any = self.connection.driver_connection
        self.postgresql = self.dialect.name == "postgresql"
        self.standing = object()
        """Another one after each undoing of what was written on it."""


def opened(connection: Connection) -> Opened:
    """The connection that a work was given."""
    assert isinstance(connection, Opened)  # noqa: S101 (for the type checker: lanes give no others)
    return connection
