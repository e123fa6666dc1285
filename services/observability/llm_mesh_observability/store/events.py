"""Events as rows, a whole batch in a few statements: this is on the way of every request, if not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    _ENTRIES.write(connection, [_entry(event) for event in fresh])
    _LINES.write(connection, [line for event in fresh for line in _lines(event)])
    tags = [(name, tag, value) for event in fresh if event.entry.tags for name, tag, value in _tags(event.entry)]
    _TAGS.write(connection, tags)


def _entry(event: usage_pb2.UsageEvent) -> tuple[Any, ...]:
    return event.entry.name, event.version, event.sequence, event.domain, event.project, event.entry.SerializeToString()


def _lines(event: usage_pb2.UsageEvent) -> Iterator[tuple[Any, ...]]:
    entry = event.entry
    at = entry.reserve_time.seconds * _SECOND + entry.reserve_time.nanos // 1_000
    whose = (at, event.domain, event.project, entry.key, entry.principal, entry.alias)
    currency = entry.charged.currency or entry.reserved.currency
    for line in spend_lines(entry):
        yield (entry.name, line.attempt, *whose, line.model, currency, *line.figures)


def _tags(entry: usage_pb2.LedgerEntry) -> Iterator[tuple[str, str, str]]:
    for tag, value in entry.tags.items():
        yield entry.name, tag, value
