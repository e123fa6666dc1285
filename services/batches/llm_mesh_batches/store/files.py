"""Files in SQLite or PostgreSQL, in sealed pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, func, insert, or_, select, update

from llm_mesh.batches.v1 import batches_pb2, files_pb2
from llm_mesh_batches.domain.errors import file_in_use, file_not_found
from llm_mesh_batches.domain.ports import ListQuery
from llm_mesh_batches.domain.tenants import Tenant
from llm_mesh_batches.store.tables import BATCHES, ENDED, FILES, LINES, OUTPUT, PIECES, UPLOADED
from llm_mesh_batches.store.vault import Vault
from llm_mesh_runtime.database import Database, for_update
from llm_mesh_runtime.errors import quota_exceeded
from llm_mesh_runtime.outbox import Notes, Outbox
from llm_mesh_runtime.resources import Quotas

_NAME, _PIECE = "filename", "piece"


class SqlFiles:
    """`FileStore`."""

    def __init__(self, database: Database, outbox: Outbox, vault: Vault, quotas: Quotas, most_bytes: int) -> None:
        self._database = database
        self._outbox = outbox
        self._vault = vault
        self._quotas = quotas
        self._most_bytes = most_bytes

    async def begin(self, tenant: Tenant, file: files_pb2.File, keep: int) -> None:
        name = self._vault.closed(file.filename.encode(), tenant, _NAME, file.id)

        def work(connection: Connection) -> None:
            now = self._database.now(connection)
            row = {"id": file.id, "purpose": file.purpose, "part": UPLOADED, "batch": "", "ready": 0, "pieces": 0, "bytes": 0}
            connection.execute(insert(FILES).values(**tenant._asdict(), **row, filename=name, created=now, expires=now + keep))
            count = select(func.count()).select_from(FILES).where(of_tenant(FILES, tenant), FILES.c.part == UPLOADED)
            self._quotas.check(tenant.project, "files", connection.scalar(count) or 0)
            check_bytes(connection, tenant, self._most_bytes)

        await self._database.write(work)

    async def append(self, tenant: Tenant, identity: str, number: int, content: bytes) -> None:
        sealed = self._vault.closed(content, tenant, _PIECE, identity, str(number))

        def work(connection: Connection) -> None:
            grown = update(FILES).where(_one(tenant, identity), FILES.c.ready == 0, FILES.c.pieces == number)
            values = {"bytes": FILES.c.bytes + len(content), "pieces": number + 1}
            if connection.execute(grown.values(**values)).rowcount != 1:
                raise file_not_found()
            connection.execute(insert(PIECES).values(**tenant._asdict(), file=identity, number=number, content=sealed))
            check_bytes(connection, tenant, self._most_bytes)

        await self._database.write(work)

    async def finish(self, tenant: Tenant, identity: str, purpose: int, keep: int) -> files_pb2.File:
        def work(connection: Connection, notes: Notes) -> files_pb2.File:
            whole = update(FILES).where(_one(tenant, identity), FILES.c.ready == 0)
            if connection.execute(whole.values(ready=1, purpose=purpose, expires=FILES.c.created + keep)).rowcount != 1:
                raise file_not_found()
            row = connection.execute(select(FILES).where(_one(tenant, identity))).one()
            notes.note(tenant.resource("files", identity), None, _noted(row))
            return self._file(row)

        return await self._outbox.write(work, action="files.create")

    async def discard(self, tenant: Tenant, identity: str) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(delete(FILES).where(_one(tenant, identity), FILES.c.ready == 0)).rowcount:
                connection.execute(delete(PIECES).where(_pieces(tenant, identity)))

        await self._database.write(work)

    async def get(self, tenant: Tenant, identity: str) -> files_pb2.File | None:
        row = await self._database.read(lambda connection: _visible(connection, self._database, tenant, identity))
        return None if row is None else self._file(row)

    async def page(self, tenant: Tenant, query: ListQuery) -> Sequence[files_pb2.File]:
        def work(connection: Connection) -> list[Row[Any]]:
            shown = [of_tenant(FILES, tenant), FILES.c.ready == 1, FILES.c.expires > self._database.now(connection)]
            if query.kind:
                shown.append(FILES.c.purpose == query.kind)
            statement = select(FILES).where(*shown, *behind(connection, FILES, tenant, query, file_not_found("after")))
            return list(connection.execute(statement.order_by(*order(FILES, query)).limit(query.page.limit)))

        return [self._file(row) for row in await self._database.read(work)]

    async def delete(self, tenant: Tenant, identity: str) -> None:
        def work(connection: Connection, notes: Notes) -> None:
            row = connection.execute(for_update(select(FILES).where(_one(tenant, identity), FILES.c.ready == 1))).first()
            if row is None or row.expires <= self._database.now(connection):
                raise file_not_found()
            if is_read(connection, tenant, identity):
                raise file_in_use()
            remove(connection, self._database.now(connection), row)
            notes.note(tenant.resource("files", identity), _noted(row), None)

        await self._outbox.write(work, action="files.delete")

    async def piece(self, tenant: Tenant, identity: str, number: int) -> bytes | None:
        statement = select(PIECES.c.content).where(_pieces(tenant, identity), PIECES.c.number == number)
        sealed = await self._database.read(lambda connection: connection.scalar(statement))
        return None if sealed is None else self._vault.opened(sealed, tenant, _PIECE, identity, str(number))

    def _file(self, row: Row[Any]) -> files_pb2.File:
        tenant = Tenant(row.domain, row.project)
        file = _noted(row)
        file.filename = f"{row.batch}_{'output' if row.part == OUTPUT else 'error'}.jsonl"
        if row.part == UPLOADED:
            file.filename = self._vault.opened(row.filename, tenant, _NAME, row.id).decode()
        return file


def of_tenant(table: Table, tenant: Tenant) -> ColumnElement[bool]:
    """The tenant's rows."""
    return and_(table.c.domain == tenant.domain, table.c.project == tenant.project)


def behind(connection: Connection, table: Table, tenant: Tenant, query: ListQuery, absent: Exception) -> list[ColumnElement[bool]]:
    """What comes behind the place that a list goes on from. `absent` where there is no such place."""
    conditions = []
    for identity in filter(None, (query.after, query.page.after)):
        created = connection.scalar(select(table.c.created).where(of_tenant(table, tenant), table.c.id == identity))
        if created is None:
            raise absent
        same = table.c.created == created
        if query.ascending:
            conditions.append(or_(table.c.created > created, and_(same, table.c.id > identity)))
        else:
            conditions.append(or_(table.c.created < created, and_(same, table.c.id < identity)))
    return conditions


def order(table: Table, query: ListQuery) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The order of a list: by creation, and by id what was created at once."""
    if query.ascending:
        return table.c.created.asc(), table.c.id.asc()
    return table.c.created.desc(), table.c.id.desc()


def check_bytes(connection: Connection, tenant: Tenant, most: int) -> None:
    """QUOTA_EXCEEDED where a project has more bytes than it may store."""
    files = select(func.coalesce(func.sum(FILES.c.bytes), 0)).where(of_tenant(FILES, tenant), FILES.c.part == UPLOADED)
    batches = select(func.coalesce(func.sum(BATCHES.c.stored_bytes), 0)).where(of_tenant(BATCHES, tenant))
    if int(connection.scalar(files) or 0) + int(connection.scalar(batches) or 0) > most:
        raise quota_exceeded(tenant.project, "bytes", most, "LLM_MESH_BATCHES_PROJECT_BYTES")


def is_read(connection: Connection, tenant: Tenant, identity: str) -> bool:
    """Whether a batch reads the file, or is about to."""
    reading = (BATCHES.c.input_file == identity, BATCHES.c.state == batches_pb2.BATCH_STATE_VALIDATING)
    return connection.scalar(select(BATCHES.c.id).where(of_tenant(BATCHES, tenant), *reading).limit(1)) is not None


def remove(connection: Connection, now: int, row: Row[Any]) -> None:
    """Deletes a file, and the results that it has where it is an output file."""
    tenant = Tenant(row.domain, row.project)
    connection.execute(delete(FILES).where(_one(tenant, row.id)))
    connection.execute(delete(PIECES).where(_pieces(tenant, row.id)))
    if row.part != UPLOADED:
        column = "output_file" if row.part == OUTPUT else "error_file"
        one = and_(of_tenant(BATCHES, tenant), BATCHES.c.id == row.batch)
        connection.execute(update(BATCHES).where(one).values({column: "", "results_deleted": now}))
        succeeded = LINES.c.outcome == batches_pb2.LINE_OUTCOME_SUCCEEDED
        part = succeeded if row.part == OUTPUT else ~succeeded
        lines = and_(of_tenant(LINES, tenant), LINES.c.batch == row.batch, LINES.c.state == ENDED, part)
        connection.execute(update(LINES).where(lines).values(result=None, body=None))


def _one(tenant: Tenant, identity: str) -> ColumnElement[bool]:
    return and_(of_tenant(FILES, tenant), FILES.c.id == identity)


def _pieces(tenant: Tenant, identity: str) -> ColumnElement[bool]:
    return and_(of_tenant(PIECES, tenant), PIECES.c.file == identity)


def _visible(connection: Connection, database: Database, tenant: Tenant, identity: str) -> Row[Any] | None:
    now = database.now(connection)
    return connection.execute(select(FILES).where(_one(tenant, identity), FILES.c.ready == 1, FILES.c.expires > now)).first()


def _noted(row: Row[Any]) -> files_pb2.File:
    """The file without what its owner wrote, as the audit trail has a digest of it."""
    file = files_pb2.File(id=row.id, purpose=row.purpose, bytes=row.bytes, batch=row.batch)
    file.create_time.FromMicroseconds(row.created)
    file.expire_time.FromMicroseconds(row.expires)
    return file
