"""One look at everything that a group of works decides on.

It is a single row, since each row that is stepped through may cost milliseconds where the event loop is busy. SQLite joins with the
lists: for `IN` it makes a table of each, which takes five times as long as the look itself.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, text

from llm_mesh_policy.ledger.domain.meters import Meter
from llm_mesh_policy.store.revision import REVISION_SQL, Revision
from llm_mesh_runtime.database import PreparedStatement, as_list

_ENTRY = "e.id, e.version, e.reserve_time, e.holds"
_METER = 'm.name, m.subject, m.metric, m.amount, m.period, m.generation, m."window", m.spent, m.held, m.closed, m.tag_scope'
_SEQUENCE = "SELECT (SELECT coalesce(max(sequence), 0) FROM ledger_entries)"
_LISTED = {
    "sqlite": "(SELECT json_group_array(json_array({columns})) FROM json_each(:{list}) CROSS JOIN {table} ON {column} = value)",
    "postgresql": "CAST((SELECT json_agg(json_build_array({columns})) FROM {table} WHERE {column} = ANY(CAST(:{list} AS text[]))) AS text)",
}
_ENTRIES = {"columns": _ENTRY, "table": "ledger_entries AS e", "column": "e.id", "list": "ids"}
_METERS = {"columns": _METER, "table": "ledger_meters AS m", "column": "m.subject", "list": "subjects"}
_DEMANDS = {
    "columns": "d.tag_scope, d.subject, d.name",
    "table": "ledger_meters AS d",
    "column": "d.tag_scope <> '' AND d.tag_scope",
    "list": "subjects",
}
_DEMANDED = "CASE WHEN EXISTS (SELECT 1 FROM ledger_meters WHERE tag_scope <> '') THEN {listed} END"
"""Nearly every mesh has no such limit, and finds that out by looking at an empty index."""
_ONLY_ENTRIES = {name: PreparedStatement(text(f"{_SEQUENCE}, {listed.format(**_ENTRIES)}")) for name, listed in _LISTED.items()}
_ALL = {
    name: PreparedStatement(
        text(
            f"{_SEQUENCE}, {listed.format(**_ENTRIES)}, {REVISION_SQL}, {listed.format(**_METERS)}, "
            f"{_DEMANDED.format(listed=listed.format(**_DEMANDS))}"
        )
    )
    for name, listed in _LISTED.items()
}


class LedgerGlance(NamedTuple):
    """What was seen: the newest sequence, of the entries that exist their marks by id, identity's revision, and meters."""

    sequence: int
    marks: dict[str, tuple[int, int, str]]
    revision: Revision | None = None
    meters: Sequence[Meter] = ()
    demands: Sequence[Sequence[str]] = ()
    """Limits that demand their tag: of which domain's requests, their subject, their name."""


def look(connection: Connection, ids: Collection[str], subjects: Collection[str]) -> LedgerGlance:
    """Looks for entries by id, and for meters by whom they bind. An entry's mark is its version, time and holds.

    Without subjects, as where all works end reservations, nothing is seen of identity either.
    """
    name, id_list = connection.dialect.name, as_list(connection, ids)
    if not subjects:
        row = _ONLY_ENTRIES[name].first(connection, ids=id_list)
        assert row is not None  # noqa: S101 (for the type checker: sums without groups always have a row)
        return LedgerGlance(row[0], _marks(row[1]))
    row = _ALL[name].first(connection, ids=id_list, subjects=as_list(connection, subjects))
    assert row is not None  # noqa: S101 (likewise)
    sequence, entries, value, making, meters, demands = row
    limits = [Meter(*each) for each in orjson.loads(meters)] if meters else ()
    return LedgerGlance(sequence, _marks(entries), (value, making), limits, orjson.loads(demands) if demands and demands != "[]" else ())


def _marks(entries: str | None) -> dict[str, tuple[int, int, str]]:
    return {each[0]: (each[1], each[2], each[3]) for each in orjson.loads(entries)} if entries else {}
