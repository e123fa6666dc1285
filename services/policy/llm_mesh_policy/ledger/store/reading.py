"""What is read of the ledger: entries by name and page, and the outbox by sequence."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Select, bindparam, select, text, update

from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh_policy.ledger.domain.reservation import Reservation
from llm_mesh_policy.ledger.store import entry_rows
from llm_mesh_policy.ledger.store.tables import entries, readers
from llm_mesh_runtime.database import Database, PreparedStatement, upsert

_AFTER = "FROM ledger_entries WHERE sequence > :after ORDER BY sequence LIMIT :most"
_EVENTS = PreparedStatement(text(f"SELECT sequence, entry, domain, project, version {_AFTER}"))
_EVENTS_AT_ONCE = PreparedStatement(
    text(
        "SELECT json_group_array(json_array(sequence, domain, project, version)), group_concat(hex(entry)) "  # noqa: S608 (no values)
        f"FROM (SELECT sequence, entry, domain, project, version {_AFTER})"
    )
)
_THROUGH = PreparedStatement(select(readers.c.through).where(readers.c.name == bindparam("of_name")))
_ADVANCE = PreparedStatement(update(readers).where(readers.c.name == bindparam("of_name")).values(through=bindparam("to_sequence")))


class LedgerReading:
    """Reads the ledger; writes only how far its readers are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entry(self, project: str, reservation_id: str) -> usage_pb2.LedgerEntry | None:
        """An entry of a project."""
        statement = select(entries.c.entry).where(entries.c.project == project, entries.c.id == reservation_id)
        body = await self._database.read(lambda connection: connection.execute(statement).scalar())
        return None if body is None else usage_pb2.LedgerEntry.FromString(body)

    async def page(
        self, tenant: str, *, state: int, request_id: str, before: tuple[int, str] | None, limit: int
    ) -> Sequence[tuple[int, str, usage_pb2.LedgerEntry]]:
        """Entries of a project or domain, newest first, each with its time and id."""
        statement = _listed(tenant, state, request_id, before).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [(row.reserve_time, row.id, usage_pb2.LedgerEntry.FromString(row.entry)) for row in rows]

    async def newest(self, limit: int) -> Sequence[Reservation]:
        """The reservations that changed last, oldest first."""
        statement = select(*entry_rows.columns()).where(entries.c.sequence.is_not(None)).order_by(entries.c.sequence.desc()).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [entry_rows.reservation_of(row) for row in reversed(rows)]

    async def after(self, sequence: int, limit: int) -> Sequence[usage_pb2.UsageEvent]:
        def work(connection: Connection) -> Sequence[usage_pb2.UsageEvent]:
            batch = policy_pb2.ReplayUsageResponse().events  # so that all are made in one piece of memory
            for at, entry, domain, project, version in _events(connection, sequence, limit):
                batch.add(sequence=at, domain=domain, project=project, version=version).entry.MergeFromString(entry)
            return batch

        return await self._database.read(work)

    async def through(self, reader: str) -> int:
        sequence = await self._database.read(lambda connection: _THROUGH.first(connection, of_name=reader))
        return sequence[0] if sequence else 0

    async def advance(self, reader: str, sequence: int) -> None:
        def work(connection: Connection) -> None:
            if not _ADVANCE.change(connection, of_name=reader, to_sequence=sequence):
                upsert(connection, readers, {"name": reader, "through": sequence}, key=["name"])

        await self._database.write(work)


def _events(connection: Connection, after: int, most: int) -> list[Any]:
    """Sequence, entry, domain, project and version, oldest first. From SQLite in one row, since each may make the event loop wait."""
    if connection.dialect.name == "postgresql":
        return _EVENTS.rows(connection, after=after, most=most)
    rows, packed = _EVENTS_AT_ONCE.rows(connection, after=after, most=most)[0]  # entries by themselves: JSON looks at each character
    unpacked = [] if packed is None else [bytes.fromhex(entry) for entry in packed.split(",")]
    return sorted([(sequence, entry, *rest) for (sequence, *rest), entry in zip(orjson.loads(rows), unpacked, strict=True)])


def _listed(tenant: str, state: int, request_id: str, before: tuple[int, str] | None) -> Select[tuple[int, str, bytes]]:
    column = entries.c.project if "/projects/" in tenant else entries.c.domain
    statement = select(entries.c.reserve_time, entries.c.id, entries.c.entry).where(column == tenant)
    if state:
        statement = statement.where(entries.c.state == state)
    if request_id:
        statement = statement.where(entries.c.request_id == request_id)
    if before is not None:
        moment, last = before
        earlier = (entries.c.reserve_time == moment) & (entries.c.id < last)
        statement = statement.where((entries.c.reserve_time < moment) | earlier)
    return statement.order_by(entries.c.reserve_time.desc(), entries.c.id.desc())
