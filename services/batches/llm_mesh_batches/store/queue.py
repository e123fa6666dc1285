"""The queue of lines: who works off which, and how they have ended.

A line has an owner while it is under way. Whose lease is over is not believed to be at work, and its lines are taken over. What was never
begun when a batch stops is not begun any more. A result is kept together with the counts of its batch, in one transaction, once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select, update

from llm_mesh.batches.v1 import batches_pb2, files_pb2
from llm_mesh_batches.domain.ports import ActiveBatch, ClaimedLine, EndedLine
from llm_mesh_batches.domain.results import written_size
from llm_mesh_batches.domain.tenants import Tenant
from llm_mesh_batches.store.batches import GOES_ON, one_batch
from llm_mesh_batches.store.files import of_tenant
from llm_mesh_batches.store.rows import BODY, CUSTOM_ID, DELEGATION, RESULT
from llm_mesh_batches.store.tables import BATCHES, ENDED, ERRORS, FILES, LINES, OUTPUT, WAITING
from llm_mesh_batches.store.vault import Vault
from llm_mesh_runtime.database import Database, for_update

_MOST_ACTIVE = 1_000
_SWEPT_AT_ONCE = 500
_SECOND = 1_000_000
_ENDS = {
    batches_pb2.BATCH_STATE_IN_PROGRESS: batches_pb2.BATCH_STATE_COMPLETED,
    batches_pb2.BATCH_STATE_CANCELLING: batches_pb2.BATCH_STATE_CANCELLED,
    batches_pb2.BATCH_STATE_EXPIRING: batches_pb2.BATCH_STATE_EXPIRED,
}
"""What a batch is once its last line has ended."""
_COUNTED = {
    batches_pb2.LINE_OUTCOME_SUCCEEDED: "succeeded",
    batches_pb2.LINE_OUTCOME_FAILED: "failed",
    batches_pb2.LINE_OUTCOME_CANCELLED: "cancelled",
    batches_pb2.LINE_OUTCOME_EXPIRED: "expired",
}


class SqlQueue:
    """`QueueStore`."""

    def __init__(self, database: Database, vault: Vault, *, keep_results: int) -> None:
        self._database = database
        self._vault = vault
        self._keep_results = keep_results

    async def active(self) -> Sequence[ActiveBatch]:
        turn = func.row_number().over(partition_by=(BATCHES.c.domain, BATCHES.c.project), order_by=BATCHES.c.created)
        going_on = select(BATCHES, turn.label("turn")).where(BATCHES.c.state.in_(GOES_ON)).subquery()
        statement = select(going_on).order_by(going_on.c.turn, going_on.c.created).limit(_MOST_ACTIVE)

        def work(connection: Connection) -> list[ActiveBatch]:
            now = self._database.now(connection)
            return [
                ActiveBatch(Tenant(row.domain, row.project), row.id, row.endpoint, row.state, row.input_file, row.expires, now)
                for row in connection.execute(statement)
            ]

        return await self._database.read(work)

    async def claim(self, batch: ActiveBatch, owner: str, most: int, seconds: float) -> Sequence[ClaimedLine]:
        def work(connection: Connection) -> tuple[bytes, list[Row[Any]]]:
            row = connection.execute(for_update(select(BATCHES).where(one_batch(batch.tenant, batch.id)))).first()
            if row is None or row.state not in _ENDS:
                return b"", []
            now = self._database.now(connection)
            free = and_(_waiting(batch), LINES.c.owned_until <= now, LINES.c.not_before <= now)
            if row.state != batches_pb2.BATCH_STATE_IN_PROGRESS:
                free = and_(free, LINES.c.owner != "")
            lines = list(connection.execute(select(LINES).where(free).order_by(LINES.c.number).limit(most)))
            taken = and_(_waiting(batch), LINES.c.number.in_([line.number for line in lines]))
            connection.execute(update(LINES).where(taken).values(owner=owner, owned_until=now + int(seconds * _SECOND)))
            return row.delegation, lines

        delegation, lines = await self._database.write(work)
        if not lines:
            return ()
        opened = self._vault.opened(delegation, batch.tenant, DELEGATION, batch.id)
        return [self._claimed(batch, opened, line) for line in lines]

    async def renew(self, owner: str, lines: Mapping[str, Collection[int]], seconds: float) -> None:
        def work(connection: Connection) -> None:
            until = self._database.now(connection) + int(seconds * _SECOND)
            for batch, numbers in lines.items():
                own = and_(LINES.c.owner == owner, LINES.c.batch == batch, LINES.c.number.in_(numbers), LINES.c.state == WAITING)
                connection.execute(update(LINES).where(own).values(owned_until=until))

        await self._database.write(work)

    async def postpone(self, line: ClaimedLine, owner: str, seconds: float, *, counts: bool) -> None:
        def work(connection: Connection) -> None:
            later = self._database.now(connection) + int(seconds * _SECOND)
            attempts = LINES.c.attempts + int(counts)
            own = and_(_one(line), LINES.c.state == WAITING, LINES.c.owner == owner)
            connection.execute(update(LINES).where(own).values(owner="", owned_until=0, not_before=later, attempts=attempts))

        await self._database.write(work)

    async def end(self, line: ClaimedLine, ended: EndedLine) -> bool:
        place = (line.batch, str(line.number))
        result = self._vault.closed(ended.result.SerializeToString(), line.tenant, RESULT, *place)
        return await self._database.write(lambda connection: self._end(connection, line, ended, result))

    def _end(self, connection: Connection, line: ClaimedLine, ended: EndedLine, result: bytes) -> bool:
        batch = connection.execute(for_update(select(BATCHES).where(one_batch(line.tenant, line.batch)))).first()
        if batch is None:
            return False
        values = {
            "state": ENDED,
            "outcome": ended.result.outcome,
            "sequence": _ended(batch) + 1,
            "result": result,
            "body": None,
            "owner": "",
        }
        if connection.execute(update(LINES).where(_one(line), LINES.c.state == WAITING).values(**values)).rowcount != 1:
            return False
        charged = orjson.loads(batch.charged)
        for money in ended.usage.charged:
            charged[money.currency] = charged.get(money.currency, 0) + money.nanos
        size = "output_bytes" if ended.result.outcome == batches_pb2.LINE_OUTCOME_SUCCEEDED else "error_bytes"
        counted = _COUNTED[ended.result.outcome]
        grown = {
            counted: getattr(batch, counted) + 1,
            size: getattr(batch, size) + ended.written,
            "input_tokens": batch.input_tokens + ended.usage.input_tokens,
            "cached_input_tokens": batch.cached_input_tokens + ended.usage.cached_input_tokens,
            "output_tokens": batch.output_tokens + ended.usage.output_tokens,
            "reasoning_tokens": batch.reasoning_tokens + ended.usage.reasoning_tokens,
            "charged": orjson.dumps(charged).decode(),
            "stored_bytes": batch.stored_bytes + ended.written - len(line.body),
        }
        connection.execute(update(BATCHES).where(one_batch(line.tenant, line.batch)).values(**grown))
        self._finish(connection, line.tenant, line.batch)
        return True

    async def stop(self, batch: ActiveBatch, state: int) -> None:
        stopping = update(BATCHES).where(one_batch(batch.tenant, batch.id), BATCHES.c.state == batch.state).values(state=state)
        await self._database.write(lambda connection: connection.execute(stopping))

    async def sweep(self, batch: ActiveBatch) -> bool:
        outcome = batches_pb2.LINE_OUTCOME_CANCELLED
        if batch.state == batches_pb2.BATCH_STATE_EXPIRING:
            outcome = batches_pb2.LINE_OUTCOME_EXPIRED

        def work(connection: Connection) -> bool:
            row = connection.execute(for_update(select(BATCHES).where(one_batch(batch.tenant, batch.id)))).first()
            if row is None or row.state != batch.state:
                return False
            unbegun = and_(_waiting(batch), LINES.c.owner == "")
            statement = select(LINES.c.number, LINES.c.custom_id).where(unbegun).order_by(LINES.c.number).limit(_SWEPT_AT_ONCE)
            lines = list(connection.execute(statement))
            sequence, written = _ended(row), 0
            for place, line in enumerate(lines, 1):
                custom_id = self._vault.opened(line.custom_id, batch.tenant, CUSTOM_ID, batch.id, str(line.number)).decode()
                result = batches_pb2.LineResult(custom_id=custom_id, outcome=outcome)
                written += written_size(batch.id, line.number, result)
                values = {"state": ENDED, "outcome": outcome, "sequence": sequence + place, "body": None}
                connection.execute(update(LINES).where(_waiting(batch), LINES.c.number == line.number).values(**values))
            counted = _COUNTED[outcome]
            grown = {counted: getattr(row, counted) + len(lines), "error_bytes": row.error_bytes + written}
            connection.execute(update(BATCHES).where(one_batch(batch.tenant, batch.id)).values(**grown))
            self._finish(connection, batch.tenant, batch.id)
            return bool(lines)

        return await self._database.write(work)

    async def release(self, owner: str = "") -> None:
        own = LINES.c.owner == owner if owner else LINES.c.owner != ""
        readers = BATCHES.c.reader == owner if owner else BATCHES.c.reader != ""

        def work(connection: Connection) -> None:
            connection.execute(update(LINES).where(own, LINES.c.state == WAITING).values(owned_until=0))
            connection.execute(update(BATCHES).where(readers).values(reader="", reader_until=0))

        await self._database.write(work)

    def _finish(self, connection: Connection, tenant: Tenant, identity: str) -> None:
        """Ends the batch where all of its lines have ended."""
        row = connection.execute(select(BATCHES).where(one_batch(tenant, identity))).one()
        if row.state not in _ENDS or _ended(row) != row.total:
            return
        now = self._database.now(connection)
        ends = now + self._keep_results
        connection.execute(update(BATCHES).where(one_batch(tenant, identity)).values(state=_ENDS[row.state], ended=now, deletes=ends))
        for name, part, size in ((row.output_file, OUTPUT, row.output_bytes), (row.error_file, ERRORS, row.error_bytes)):
            if size:
                file = {"id": name, "purpose": files_pb2.FILE_PURPOSE_BATCH_OUTPUT, "part": part, "batch": identity, "ready": 1}
                times = {"created": now, "expires": ends}
                connection.execute(insert(FILES).values(**tenant._asdict(), **file, **times, pieces=0, bytes=size, filename=b""))

    def _claimed(self, batch: ActiveBatch, delegation: bytes, line: Row[Any]) -> ClaimedLine:
        place = (batch.id, str(line.number))
        custom_id = self._vault.opened(line.custom_id, batch.tenant, CUSTOM_ID, *place).decode()
        body = self._vault.opened(line.body, batch.tenant, BODY, *place)
        return ClaimedLine(batch.tenant, batch.id, batch.endpoint, delegation, line.number, line.attempts, custom_id, body)


def _ended(row: Row[Any]) -> int:
    return int(row.succeeded + row.failed + row.cancelled + row.expired)


def _waiting(batch: ActiveBatch) -> ColumnElement[bool]:
    return and_(of_tenant(LINES, batch.tenant), LINES.c.batch == batch.id, LINES.c.state == WAITING)


def _one(line: ClaimedLine) -> ColumnElement[bool]:
    return and_(of_tenant(LINES, line.tenant), LINES.c.batch == line.batch, LINES.c.number == line.number)
