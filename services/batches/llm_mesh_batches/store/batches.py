"""Batches in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update

from llm_mesh.batches.v1 import batches_pb2, files_pb2
from llm_mesh_batches.domain.errors import batch_ended, batch_not_ended, batch_not_found, file_not_found
from llm_mesh_batches.domain.ports import ListQuery, NewLine, StoredResult
from llm_mesh_batches.domain.tenants import Tenant
from llm_mesh_batches.store.files import behind, check_bytes, of_tenant, order
from llm_mesh_batches.store.rows import CUSTOM_ID, DELEGATION, RESULT, WORDS, batch_of, line_rows, noted
from llm_mesh_batches.store.tables import BATCHES, ENDED, FILES, LINES, UPLOADED
from llm_mesh_batches.store.vault import Vault
from llm_mesh_runtime.database import Database, for_update
from llm_mesh_runtime.outbox import Notes, Outbox
from llm_mesh_runtime.resources import Quotas

GOES_ON = (
    batches_pb2.BATCH_STATE_VALIDATING,
    batches_pb2.BATCH_STATE_IN_PROGRESS,
    batches_pb2.BATCH_STATE_CANCELLING,
    batches_pb2.BATCH_STATE_EXPIRING,
)
"""States of batches that have not ended."""
_CANCELLABLE = (batches_pb2.BATCH_STATE_VALIDATING, batches_pb2.BATCH_STATE_IN_PROGRESS)
_RESULTS_AT_ONCE = 64
_RESULT_BYTES = 256 * 1024


class SqlBatches:
    """`BatchStore`."""

    def __init__(self, database: Database, outbox: Outbox, vault: Vault, quotas: Quotas, *, most_bytes: int, keep_results: int) -> None:
        self._database = database
        self._keep_results = keep_results
        self._outbox = outbox
        self._vault = vault
        self._quotas = quotas
        self._most_bytes = most_bytes

    async def create(
        self, tenant: Tenant, batch: batches_pb2.Batch, delegation: bytes, lines: Sequence[NewLine], *, window: int
    ) -> batches_pb2.Batch:
        words = batches_pb2.Batch(metadata=batch.metadata)
        row = {
            **tenant._asdict(),
            "id": batch.id,
            "endpoint": batch.endpoint,
            "state": batch.state,
            "input_file": batch.input_file,
            "output_file": batch.output_file,
            "error_file": batch.error_file,
            "words": self._vault.closed(words.SerializeToString(), tenant, WORDS, batch.id),
            "delegation": self._vault.closed(delegation, tenant, DELEGATION, batch.id),
        }
        stored = line_rows(self._vault, tenant, batch.id, lines)
        size = sum(len(line.body) for line in lines)

        def work(connection: Connection, notes: Notes) -> Row[Any]:
            now = self._database.now(connection)
            if batch.input_file:
                self._require_file(connection, tenant, batch.input_file, now)
            started = {"started": now, "total": len(lines)} if lines else {}
            values = {**row, **started, "created": now, "expires": now + window, "stored_bytes": size}
            connection.execute(insert(BATCHES).values(**values))
            if stored:
                connection.execute(insert(LINES), stored)
            self._quotas.check(tenant.project, "lines", len(lines))
            count = select(func.count()).select_from(BATCHES).where(of_tenant(BATCHES, tenant), BATCHES.c.state.in_(GOES_ON))
            self._quotas.check(tenant.project, "batches", connection.scalar(count) or 0)
            check_bytes(connection, tenant, self._most_bytes)
            created = connection.execute(select(BATCHES).where(one_batch(tenant, batch.id))).one()
            notes.note(tenant.resource("batches", batch.id), None, noted(created))
            return created

        return batch_of(self._vault, await self._outbox.write(work, action="batches.create"))

    async def get(self, tenant: Tenant, identity: str) -> batches_pb2.Batch | None:
        statement = select(BATCHES).where(one_batch(tenant, identity))
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if row is None else batch_of(self._vault, row)

    async def page(self, tenant: Tenant, query: ListQuery) -> Sequence[batches_pb2.Batch]:
        def work(connection: Connection) -> list[Row[Any]]:
            shown = [of_tenant(BATCHES, tenant)]
            if query.kind:
                shown.append(BATCHES.c.endpoint == query.kind)
            statement = select(BATCHES).where(*shown, *behind(connection, BATCHES, tenant, query, batch_not_found("after")))
            return list(connection.execute(statement.order_by(*order(BATCHES, query)).limit(query.page.limit)))

        return [batch_of(self._vault, row) for row in await self._database.read(work)]

    async def cancel(self, tenant: Tenant, identity: str) -> batches_pb2.Batch:
        def work(connection: Connection, notes: Notes) -> Row[Any]:
            row = locked(connection, tenant, identity)
            if row.state == batches_pb2.BATCH_STATE_CANCELLING:
                return row
            if row.state not in _CANCELLABLE:
                raise batch_ended()
            now = self._database.now(connection)
            stopping = {"state": batches_pb2.BATCH_STATE_CANCELLING, "cancelled_at": now}
            if row.state == batches_pb2.BATCH_STATE_VALIDATING:  # no line was begun, and what was read of the file is of no use
                connection.execute(delete(LINES).where(of_tenant(LINES, tenant), LINES.c.batch == identity))
                stopping = {"state": batches_pb2.BATCH_STATE_CANCELLED, "cancelled_at": now, "ended": now, "stored_bytes": 0}
                stopping["deletes"] = now + self._keep_results
            connection.execute(update(BATCHES).where(one_batch(tenant, identity)).values(**stopping))
            stopped = connection.execute(select(BATCHES).where(one_batch(tenant, identity))).one()
            notes.note(tenant.resource("batches", identity), noted(row), noted(stopped))
            return stopped

        return batch_of(self._vault, await self._outbox.write(work, action="batches.cancel"))

    async def delete(self, tenant: Tenant, identity: str) -> None:
        def work(connection: Connection, notes: Notes) -> None:
            row = locked(connection, tenant, identity)
            if row.state in GOES_ON:
                raise batch_not_ended()
            remove_batch(connection, tenant, identity)
            notes.note(tenant.resource("batches", identity), noted(row), None)

        await self._outbox.write(work, action="batches.delete")

    async def results(self, tenant: Tenant, identity: str, after: int, *, parts: Sequence[int] = ()) -> Sequence[StoredResult]:
        def work(connection: Connection) -> list[Row[Any]]:
            shown = [of_tenant(LINES, tenant), LINES.c.batch == identity, LINES.c.state == ENDED, LINES.c.sequence > after]
            if parts:
                shown.append(LINES.c.outcome.in_(parts))
            statement = select(LINES).where(*shown).order_by(LINES.c.sequence).limit(_RESULTS_AT_ONCE)
            rows: list[Row[Any]] = []
            size = 0
            for row in connection.execute(statement):
                size += len(row.result or b"")
                if rows and size > _RESULT_BYTES:
                    break
                rows.append(row)
            return rows

        return [self._result(tenant, row) for row in await self._database.read(work)]

    def _result(self, tenant: Tenant, row: Row[Any]) -> StoredResult:
        place = (row.batch, str(row.number))
        if row.result is not None:
            result = batches_pb2.LineResult.FromString(self._vault.opened(row.result, tenant, RESULT, *place))
        else:
            custom_id = self._vault.opened(row.custom_id, tenant, CUSTOM_ID, *place).decode()
            result = batches_pb2.LineResult(custom_id=custom_id, outcome=row.outcome)
        return StoredResult(row.sequence, row.number, result)

    @staticmethod
    def _require_file(connection: Connection, tenant: Tenant, identity: str, now: int) -> None:
        whole = and_(FILES.c.id == identity, FILES.c.ready == 1, FILES.c.part == UPLOADED, FILES.c.expires > now)
        purpose = connection.scalar(for_update(select(FILES.c.purpose).where(of_tenant(FILES, tenant), whole)))
        if purpose != files_pb2.FILE_PURPOSE_BATCH:
            raise file_not_found("input_file")


def one_batch(tenant: Tenant, identity: str) -> ColumnElement[bool]:
    """The row of a batch."""
    return and_(of_tenant(BATCHES, tenant), BATCHES.c.id == identity)


def locked(connection: Connection, tenant: Tenant, identity: str) -> Row[Any]:
    """The row, locked until the commit; BATCH_NOT_FOUND."""
    row = connection.execute(for_update(select(BATCHES).where(one_batch(tenant, identity)))).first()
    if row is None:
        raise batch_not_found()
    return row


def remove_batch(connection: Connection, tenant: Tenant, identity: str) -> None:
    """Deletes a batch with all that belongs to it."""
    connection.execute(delete(LINES).where(of_tenant(LINES, tenant), LINES.c.batch == identity))
    connection.execute(delete(FILES).where(of_tenant(FILES, tenant), FILES.c.batch == identity))
    connection.execute(delete(BATCHES).where(one_batch(tenant, identity)))
