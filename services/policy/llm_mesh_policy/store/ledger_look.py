"""One look at everything that a group of works decides on.

It is a single row, since each row that is stepped through may cost milliseconds where the event loop is busy.
"""

from collections.abc import Collection
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, text

from llm_mesh_policy.domain.ledger.meters import Meter
from llm_mesh_policy.store.identity_standing import Revision
from llm_mesh_policy.store.identity_tables import MAKING
from llm_mesh_runtime.database import Prepared, as_list

_ENTRY = "id, version, reserve_time, holds"
_METER = 'name, subject, metric, amount, period, generation, "window", spent, held'
_HEAD = f"""
SELECT (SELECT coalesce(max(sequence), 0) FROM ledger_entries),
 (SELECT value FROM revision WHERE id = 1), (SELECT value FROM revision WHERE id = {MAKING}),
"""  # noqa: S608 (a number)
_SQLITE = f"""{_HEAD}
 (SELECT json_group_array(json_array({_ENTRY})) FROM ledger_entries WHERE id IN (SELECT value FROM json_each(:ids))),
 (SELECT json_group_array(json_array({_METER})) FROM ledger_meters WHERE subject IN (SELECT value FROM json_each(:subjects)))
"""  # noqa: S608 (names of columns only)
_POSTGRESQL = f"""{_HEAD}
 CAST((SELECT json_agg(json_build_array({_ENTRY})) FROM ledger_entries WHERE id = ANY(CAST(:ids AS text[]))) AS text),
 CAST((SELECT json_agg(json_build_array({_METER})) FROM ledger_meters WHERE subject = ANY(CAST(:subjects AS text[]))) AS text)
"""  # noqa: S608 (names of columns only)
_LOOKS = {"sqlite": Prepared(text(_SQLITE)), "postgresql": Prepared(text(_POSTGRESQL))}


class Look(NamedTuple):
    """What was seen: the newest sequence, identity's revision, of the entries that exist their marks by id, and meters."""

    sequence: int
    revision: Revision
    marks: dict[str, tuple[int, int, str]]
    meters: list[Meter]


def look(connection: Connection, ids: Collection[str], subjects: Collection[str]) -> Look:
    """Looks for entries by id, and for meters by whom they bind. An entry's mark is its version, time and holds."""
    row = _LOOKS[connection.dialect.name].first(connection, ids=as_list(connection, ids), subjects=as_list(connection, subjects))
    assert row is not None  # noqa: S101 (for the type checker: sums without groups always have a row)
    sequence, value, making, entries, meters = row
    marks = {each[0]: (each[1], each[2], each[3]) for each in orjson.loads(entries or "[]")}
    return Look(sequence, (value, making), marks, [Meter(*each) for each in orjson.loads(meters or "[]")])
