"""The projection in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.observability.v1 import observability_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_figures.money import MAX_INT64, NANO, saturated
from llm_mesh_observability.domain.errors import request_not_found
from llm_mesh_observability.domain.ports import Sighting
from llm_mesh_observability.domain.queries import Scope, SpendQuery
from llm_mesh_observability.store.events import replace
from llm_mesh_observability.store.spend import SUMS, statement
from llm_mesh_observability.store.tables import ENTRIES, FEEDBACK, LINES, PROGRESS, TAGS
from llm_mesh_runtime.database import Database, PreparedStatement, for_update, from_micros
from llm_mesh_runtime.resources import Page

_PROGRESS = PreparedStatement(for_update(select(PROGRESS.c.through, PROGRESS.c.catching_up)))
_ADVANCE = PreparedStatement(update(PROGRESS).values(through=bindparam("through")))


class SqlProjection:
    """The store of the projection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ingest(self, events: Sequence[usage_pb2.UsageEvent], *, live: bool) -> int:
        newest: dict[str, usage_pb2.UsageEvent] = {}
        reached = 0
        for event in events:
            name = event.entry.name
            known = newest.get(name)
            if known is None or known.version <= event.version:
                newest[name] = event
            reached = max(reached, event.sequence)

        def work(connection: Connection) -> None:
            through, catching_up = _PROGRESS.rows(connection)[0]  # locked: events are taken in one batch after the other
            replace(connection, newest)
            if reached > through and not (live and catching_up):
                _ADVANCE.change(connection, through=reached)

        await self._database.write(work)
        return reached

    async def begin_catching_up(self, *, anew: bool) -> int:
        def work(connection: Connection) -> int:
            if anew:
                connection.execute(update(PROGRESS).values(through=0))
                for table in (TAGS, LINES, ENTRIES):
                    connection.execute(delete(table))
            connection.execute(update(PROGRESS).values(catching_up=1))
            return int(connection.execute(select(PROGRESS.c.through)).scalar_one())

        return await self._database.write(work)

    async def end_catching_up(self) -> None:
        await self._database.write(lambda connection: connection.execute(update(PROGRESS).values(catching_up=0)))

    async def through(self) -> int:
        return await self._database.read(lambda connection: connection.execute(select(PROGRESS.c.through)).scalar_one())

    async def latest(self) -> int:
        return await self._database.read(lambda connection: connection.scalar(select(func.max(ENTRIES.c.sequence))) or 0)

    async def spend(self, query: SpendQuery) -> Sequence[observability_pb2.SpendRow]:
        entries_query = statement(query)
        return await self._database.read(lambda connection: [_row(row, query) for row in connection.execute(entries_query).mappings()])

    async def since(self, scope: Scope, sequence: int, limit: int) -> Sequence[Sighting]:
        entries_query = _within(select(ENTRIES.c.sequence, ENTRIES.c.body), scope).where(ENTRIES.c.sequence > sequence)
        return await self._sightings(entries_query.order_by(ENTRIES.c.sequence).limit(limit))

    async def skip(self, scope: Scope, sequence: int, most: int) -> tuple[int, int]:
        newer = _within(select(ENTRIES.c.sequence), scope).where(ENTRIES.c.sequence > sequence)

        def work(connection: Connection) -> tuple[int, int]:
            newest_skipped = connection.scalar(newer.order_by(ENTRIES.c.sequence.desc()).offset(most).limit(1))
            if newest_skipped is None:
                return 0, sequence
            skipped = newer.where(ENTRIES.c.sequence <= newest_skipped).subquery()
            return connection.scalar(select(func.count()).select_from(skipped)) or 0, newest_skipped

        return await self._database.read(work)

    async def last(self, scope: Scope, count: int) -> Sequence[Sighting]:
        entries_query = _within(select(ENTRIES.c.sequence, ENTRIES.c.body), scope)
        return (await self._sightings(entries_query.order_by(ENTRIES.c.sequence.desc()).limit(count)))[::-1]

    async def entry(self, name: str) -> usage_pb2.LedgerEntry:
        entries_query = select(ENTRIES.c.body).where(ENTRIES.c.name == name)
        body = await self._database.read(lambda connection: connection.scalar(entries_query))
        if body is None:
            raise request_not_found(name)
        return usage_pb2.LedgerEntry.FromString(body)

    async def add_feedback(self, request: str, feedback: observability_pb2.Feedback) -> observability_pb2.Feedback:
        def work(connection: Connection) -> observability_pb2.Feedback:
            if connection.scalar(select(ENTRIES.c.name).where(ENTRIES.c.name == request)) is None:
                raise request_not_found(request)
            now = self._database.now(connection)
            stored = observability_pb2.Feedback()
            stored.CopyFrom(feedback)
            feedback_id = f"{now:016x}-{uuid4().hex[:8]}"  # sorts by time
            stored.name = f"{request}/feedback/{feedback_id}"
            stored.create_time.FromDatetime(from_micros(now))
            connection.execute(insert(FEEDBACK).values(request=request, id=feedback_id, body=stored.SerializeToString()))
            return stored

        return await self._database.write(work)

    async def feedback(self, request: str, page: Page) -> Sequence[observability_pb2.Feedback]:
        entries_query = select(FEEDBACK.c.body).where(FEEDBACK.c.request == request, FEEDBACK.c.id > page.after).order_by(FEEDBACK.c.id)
        return await self._database.read(
            lambda connection: [observability_pb2.Feedback.FromString(body) for body in connection.scalars(entries_query.limit(page.limit))]
        )

    async def _sightings(self, entries_query: Select[Any]) -> list[Sighting]:
        return await self._database.read(
            lambda connection: [
                Sighting(sequence, usage_pb2.LedgerEntry.FromString(body)) for sequence, body in connection.execute(entries_query)
            ]
        )


def _within(entries_query: Select[Any], scope: Scope) -> Select[Any]:
    if scope.project:
        return entries_query.where(ENTRIES.c.project == scope.project)
    return entries_query.where(ENTRIES.c.domain == scope.domain) if scope.domain else entries_query


def _row(row: Any, query: SpendQuery) -> observability_pb2.SpendRow:  # noqa: ANN401 - a mapping of the driver's
    times = (observability_pb2.SPEND_DIMENSION_HOUR, observability_pb2.SPEND_DIMENSION_DAY)
    keys = []
    for index, dimension in enumerate(query.group_by):
        value = row[f"d{index}"]
        keys.append(from_micros(value).strftime("%Y-%m-%dT%H:%M:%SZ") if dimension in times else str(value))
    currency = row["currency"]
    exact = {name: int(row[f"{name}_units"]) * NANO + int(row[f"{name}_rest"]) for name in SUMS}
    sums = {name: saturated(figure, MAX_INT64) for name, figure in exact.items()}
    return observability_pb2.SpendRow(
        keys=keys,
        charged=resources_pb2.Money(currency=currency, nanos=sums["charged"]),
        estimated=resources_pb2.Money(currency=currency, nanos=sums["estimated"]),
        requests=sums["requests"],
        failed=sums["failed"],
        input_tokens=sums["input_tokens"],
        output_tokens=sums["output_tokens"],
        cached_input_tokens=sums["cached_input_tokens"],
        saturated=sums != exact,
    )
