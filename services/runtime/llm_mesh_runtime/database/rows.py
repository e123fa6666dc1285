"""Many rows in one statement, for the hot path.

SQLite's driver gives up the interpreter's lock for each row that it steps through and has to win it back from a busy event
loop, which may take milliseconds: so a statement holds up to `_MOST` rows, and a group needs a handful of steps. PostgreSQL
gets the rows in one go (pipeline mode).
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from llm_mesh_runtime.database.opened import opened
from llm_mesh_runtime.database.prepared import raised

_MOST = 64
_JOINED = "FROM (VALUES {rows}) AS v "
_SIZES = tuple(1 << power for power in range(_MOST.bit_length() - 1, -1, -1))


class Rows:
    """A statement over rows of values, which stand for `{rows}` in it.

    Read as `FROM (VALUES {rows}) AS v`, their columns are `column1`, `column2`, … Values are of types that both drivers pass through;
    bytes as a `bytearray`, since SQLite's driver asks any other type three times, each with an exception, whether it converts itself; and
    those of `flags`, places of BOOLEAN columns, as 0 or 1.

    For example::

        SPENT = Rows("INSERT INTO spent (name, nanos) VALUES {rows}", columns=2)
        SPENT.write(connection, [("a", 1), ("b", 2)])
    """

    def __init__(self, statement: str, *, columns: int, flags: Collection[int] = ()) -> None:
        one = f"({', '.join('? <> 0' if place in flags else '?' for place in range(columns))})"
        self._sqlite = {size: statement.format(rows=", ".join([one] * size)) for size in _SIZES}
        if _JOINED in statement:  # a join is written down first, in a table made anew each time: twice the work where one row changes
            self._sqlite[1] = statement.replace(_JOINED, "").replace("v.column", "?")
        self._postgresql = statement.format(rows=one.replace("?", "%s"))

    def write(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Runs the statement for all rows; answers with the key that SQLite generated last."""
        if not rows:
            return 0
        at = opened(connection)
        statement = self._postgresql if at.postgresql else self._sqlite[1]
        try:
            if at.postgresql:
                with at.driver.cursor() as cursor:
                    cursor.executemany(statement, rows)
                return 0
            if len(rows) == 1:
                return at.driver.execute(statement, rows[0]).lastrowid or 0
            last = 0
            for size, values in _pieces(rows):
                statement = self._sqlite[size]
                last = at.driver.execute(statement, values).lastrowid or 0
        except connection.dialect.loaded_dbapi.Error as error:
            raise raised(connection, statement, error) from error
        return last


def _pieces(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[int, list[Any]]]:
    """The rows' values in pieces of few different sizes, so that each size's statement is compiled once."""
    begin, left = 0, len(rows)
    for size in _SIZES:
        while left >= size:
            yield size, [value for row in rows[begin : begin + size] for value in row]
            begin += size
            left -= size
