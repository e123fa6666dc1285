"""Many rows in one statement, for the hot path.

SQLite's driver gives up the interpreter's lock for each row that it steps through and has to win it back from a busy event
loop, which may take milliseconds: so a statement holds up to `_MOST` rows, and a group needs a handful of steps. PostgreSQL
gets the rows in one go (pipeline mode).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from llm_mesh_runtime.database.prepared import raised

_MOST = 64
_SIZES = tuple(1 << power for power in range(_MOST.bit_length() - 1, -1, -1))


class Rows:
    """A statement over rows of values, which stand for `{rows}` in it.

    Read as `(VALUES {rows}) AS v`, their columns are `column1`, `column2`, … Values are of types that both drivers pass through;
    bytes as a `bytearray`, since SQLite's driver asks any other type three times, each with an exception, whether it converts itself.

    For example::

        SPENT = Rows("INSERT INTO spent (name, nanos) VALUES {rows}", columns=2)
        SPENT.write(connection, [("a", 1), ("b", 2)])
    """

    def __init__(self, statement: str, *, columns: int) -> None:
        self._columns = columns
        one = f"({', '.join('?' * columns)})"
        self._sqlite = {size: statement.format(rows=", ".join([one] * size)) for size in _SIZES}
        self._postgresql = statement.format(rows=one.replace("?", "%s"))

    def write(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Runs the statement for all rows; answers with the key that SQLite generated last."""
        if not rows:
            return 0
        driver: Any = connection.connection.driver_connection
        statement = self._postgresql
        last = 0
        try:
            if connection.dialect.name == "postgresql":
                with driver.cursor() as cursor:
                    cursor.executemany(statement, rows)
                return 0
            for size, some in _pieces(rows):
                statement = self._sqlite[size]
                last = driver.execute(statement, [value for row in some for value in row]).lastrowid
        except connection.dialect.loaded_dbapi.Error as error:
            raise raised(connection, statement, error) from error
        return last or 0


def _pieces(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[int, Sequence[Sequence[Any]]]]:
    """The rows in pieces of few different sizes, so that each size's statement is compiled once."""
    begin, left = 0, len(rows)
    for size in _SIZES:
        while left >= size:
            yield size, rows[begin : begin + size]
            begin += size
            left -= size
