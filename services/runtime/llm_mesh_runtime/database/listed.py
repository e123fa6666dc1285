"""Prepared statements that take lists of texts as one value, since a parameter for each has to be compiled anew for each length."""

from collections.abc import Collection
from json.encoder import encode_basestring_ascii
from typing import Any

from sqlalchemy import Connection, text

from llm_mesh_runtime.database.prepared import PreparedStatement, Row

_MEMBER = {"sqlite": "IN (SELECT value FROM json_each(:{name}))", "postgresql": "= ANY(CAST(:{name} AS text[]))"}


class Listed:
    """A statement in which `{name}` stands for membership in the list of that name.

    For example::

        GONE = Listed("DELETE FROM accounts WHERE name {names}", "names")
        GONE.change(connection, names=["a", "b"])
    """

    def __init__(self, statement: str, *lists: str) -> None:
        self._lists = lists
        self._statements = {
            dialect: PreparedStatement(text(statement.format(**{name: member.format(name=name) for name in lists})))
            for dialect, member in _MEMBER.items()
        }
        self._of_one = PreparedStatement(text(statement.format(**{name: f"= :{name}" for name in lists})))

    def rows(self, connection: Connection, /, **values: Any) -> list[Row]:  # noqa: ANN401 (any value of a column)
        """All rows that it selects or returns."""
        statement, parameters = self._for(connection, values)
        return statement.rows(connection, **parameters)

    def change(self, connection: Connection, /, **values: Any) -> int:  # noqa: ANN401
        """Runs an insert, update or delete; answers how many rows it touched."""
        statement, parameters = self._for(connection, values)
        return statement.change(connection, **parameters)

    def _for(self, connection: Connection, values: dict[str, Any]) -> tuple[PreparedStatement, dict[str, Any]]:
        """The statement for lists as long as these. SQLite makes a table of a list, which takes longer than finding one row."""
        if {len(values[name]) for name in self._lists} == {1}:
            return self._of_one, values | {name: next(iter(values[name])) for name in self._lists}
        return self._statements[connection.dialect.name], values | {name: as_list(connection, values[name]) for name in self._lists}


def as_list(connection: Connection, texts: Collection[str]) -> str | list[str]:
    """The value of one parameter that is a list of texts."""
    if connection.dialect.name == "postgresql":
        return list(texts)
    return f"[{','.join(map(encode_basestring_ascii, texts))}]"  # a quarter of what `json.dumps` takes
