"""Statements for the hot path: compiled once per engine and handed to the driver directly.

`connection.execute` costs 25 µs per statement before SQLite has done anything, `PreparedStatement` 4 µs. The price: columns and values are
of types that both drivers pass through (int, str, bytes, float, None; a BOOLEAN comes back as 0 or 1 from SQLite), and `IN` with a
list of varying length is not possible. Everywhere else use `connection.execute`.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

from llm_mesh_runtime.database.opened import opened

Row = tuple[Any, ...]


class _Compiled(NamedTuple):
    sql: str
    order: tuple[str, ...] | None
    defaults: dict[str, Any]
    required: frozenset[str]


class PreparedStatement:
    """A statement whose values are `bindparam`s, or the `columns` of a plain insert.

    For example::

        SPENT = Prepared(select(BUDGETS.c.nanos).where(BUDGETS.c.name == bindparam("budget")))
        row = SPENT.first(connection, budget="b")
    """

    def __init__(self, statement: ClauseElement, *, columns: tuple[str, ...] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._by_engine: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, /, **values: Any) -> list[Row]:  # noqa: ANN401 (any value of a column)
        """All rows that it selects or returns."""
        cursor = self._execute(connection, values)
        rows: list[Row] = cursor.fetchall()
        return rows

    def first(self, connection: Connection, /, **values: Any) -> Row | None:  # noqa: ANN401
        """The first of them, or None."""
        row: Row | None = self._execute(connection, values).fetchone()
        return row

    def change(self, connection: Connection, /, **values: Any) -> int:  # noqa: ANN401
        """Runs an insert, update or delete; answers how many rows it touched."""
        count: int = self._execute(connection, values).rowcount
        return count

    def _execute(self, connection: Connection, values: dict[str, Any]) -> Any:  # noqa: ANN401 (a driver's cursor)
        compiled = self._by_engine.get(connection.dialect.name) or self._compile(connection)
        parameters: Any = values
        if values.keys() != compiled.defaults.keys():
            if not (compiled.required <= values.keys() <= compiled.defaults.keys()):
                raise TypeError(f"the statement takes the values {sorted(compiled.required)}")
            parameters = {**compiled.defaults, **values}
        if compiled.order is not None:
            parameters = [parameters[name] for name in compiled.order]
        try:
            return opened(connection).driver.execute(compiled.sql, parameters)
        except connection.dialect.loaded_dbapi.Error as error:
            raise raised(connection, compiled.sql, error) from error

    def _compile(self, connection: Connection) -> _Compiled:
        compiled = self._statement.compile(dialect=connection.dialect, column_keys=self._columns)
        if not isinstance(compiled, SQLCompiler) or compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError("the statement cannot be prepared: it has an IN of varying length, or is no query")
        order = tuple(compiled.positiontup) if compiled.positiontup is not None else None
        required = frozenset(name for name, bind in compiled.binds.items() if bind.required or name in (self._columns or ()))
        made = _Compiled(compiled.string, order, dict(compiled.construct_params(_check=False)), required)
        self._by_engine[connection.dialect.name] = made
        return made


def raised(connection: Connection, sql: str, error: Exception) -> DBAPIError:
    """The exception that SQLAlchemy would have made of a driver's; without values, which are content."""
    lost = connection.dialect.is_disconnect(error, opened(connection).driver, None)  # type: ignore[arg-type] # a driver's exception
    base = connection.dialect.loaded_dbapi.Error
    made = DBAPIError.instance(sql, None, error, base, hide_parameters=True, connection_invalidated=lost, dialect=connection.dialect)
    assert isinstance(made, DBAPIError)  # noqa: S101 (for the type checker)
    return made
