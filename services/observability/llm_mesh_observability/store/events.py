"""Events as rows, a whole batch in a few statements: this is on the way of every request, if not in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_observability.domain.projection import spend_lines
from llm_mesh_runtime.database import Listed, Rows

_KNOWN = Listed("SELECT name, version FROM entries WHERE name {names}", "names")
_STALE = (
    Listed("DELETE FROM entries WHERE name {names}", "names"),
    Listed("DELETE FROM spend_lines WHERE entry {names}", "names"),
    Listed("DELETE FROM entry_tags WHERE entry {names}", "names"),
)
_ENTRIES = Rows("INSERT INTO entries (name, version, sequence, domain, project, body) VALUES {rows}", columns=6)
_LINES = Rows(
    "INSERT INTO spend_lines (entry, attempt, at, domain, project, api_key, principal, alias, model, currency, charged, estimated, "
    "requests, failed, input_tokens, output_tokens, cached_input_tokens) VALUES {rows}",
    columns=17,
)
_TAGS = Rows("INSERT INTO entry_tags (entry, tag, value) VALUES {rows}", columns=3)
_SECOND = 1_000_000


def replace(connection: Connection, newest: Mapping[str, usage_pb2.UsageEvent]) -> None:
    """Puts entries as they stand by their events in the place of older versions; newer ones stay."""
    known: dict[str, int] = dict(_KNOWN.rows(connection, names=newest.keys()))
    stale = [name for name, version in known.items() if version < newest[name].version]
    fresh = [event for name, event in newest.items() if name not in known] + [newest[name] for name in stale]
    if stale:
        for statement in _STALE:
            statement.change(connection, names=stale)
    entries: list[tuple[Any, ...]] = []
    lines: list[tuple[Any, ...]] = []
    tags: list[tuple[str, str, str]] = []
    for event in fresh:
        _add(event, entries, lines, tags)
    _ENTRIES.write(connection, entries)
    _LINES.write(connection, lines)
    _TAGS.write(connection, tags)


def _add(
    event: usage_pb2.UsageEvent, entries: list[tuple[Any, ...]], lines: list[tuple[Any, ...]], tags: list[tuple[str, str, str]]
) -> None:
    """The rows of an event, whose fields are read once."""
    entry, domain, project = event.entry, event.domain, event.project
    name, time, charged, tagged = entry.name, entry.reserve_time, entry.charged, entry.tags
    entries.append((name, event.version, event.sequence, domain, project, bytearray(entry.SerializeToString())))
    at = time.seconds * _SECOND + time.nanos // 1_000
    whose = (at, domain, project, entry.key, entry.principal, entry.alias)
    currency = charged.currency or entry.reserved.currency
    lines += [(name, line.attempt, *whose, line.model, currency, *line.figures) for line in spend_lines(entry)]
    if tagged:
        tags += [(name, tag, value) for tag, value in tagged.items()]
