"""Batches whose files are read: one instance at a time, from the first line on whenever it begins."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select, update

from llm_mesh.batches.v1 import batches_pb2
from llm_mesh_batches.domain.ports import ActiveBatch, NewLine
from llm_mesh_batches.store.batches import one_batch
from llm_mesh_batches.store.files import check_bytes, of_tenant
from llm_mesh_batches.store.rows import WORDS, line_rows
from llm_mesh_batches.store.tables import BATCHES, LINES
from llm_mesh_batches.store.vault import Vault
from llm_mesh_runtime.database import Database, for_update

_VALIDATING = batches_pb2.BATCH_STATE_VALIDATING
_SECOND = 1_000_000


class SqlReading:
    """`ReadingStore`."""

    def __init__(self, database: Database, vault: Vault, *, keep_results: int, most_bytes: int) -> None:
        self._database = database
        self._vault = vault
        self._keep_results = keep_results
        self._most_bytes = most_bytes

    async def begin(self, batch: ActiveBatch, owner: str, seconds: float) -> bool:
        def work(connection: Connection) -> bool:
            now = self._database.now(connection)
            row = connection.execute(for_update(select(BATCHES).where(one_batch(batch.tenant, batch.id)))).first()
            if row is None or row.state != _VALIDATING or row.reader_until > now:
                return False
            connection.execute(delete(LINES).where(of_tenant(LINES, batch.tenant), LINES.c.batch == batch.id))
            values = {"reader": owner, "reader_until": now + int(seconds * _SECOND), "stored_bytes": 0}
            connection.execute(update(BATCHES).where(one_batch(batch.tenant, batch.id)).values(**values))
            return True

        return await self._database.write(work)

    async def add(self, batch: ActiveBatch, owner: str, lines: Sequence[NewLine], seconds: float) -> Sequence[int] | None:
        rows = line_rows(self._vault, batch.tenant, batch.id, lines)
        size = sum(len(line.body) for line in lines)

        def work(connection: Connection) -> list[int] | None:
            if not self._is_own(connection, batch, owner):
                return None
            digests = [row["digest"] for row in rows]
            same = select(LINES.c.digest).where(of_tenant(LINES, batch.tenant), LINES.c.batch == batch.id, LINES.c.digest.in_(digests))
            present = set(connection.scalars(same))
            repeated, fresh = [], []
            for row in rows:
                if row["digest"] in present:
                    repeated.append(row["number"])
                else:
                    present.add(row["digest"])
                    fresh.append(row)
            if fresh:
                connection.execute(insert(LINES), fresh)
            until = self._database.now(connection) + int(seconds * _SECOND)
            grown = {"stored_bytes": BATCHES.c.stored_bytes + size, "reader_until": until}
            connection.execute(update(BATCHES).where(one_batch(batch.tenant, batch.id)).values(**grown))
            check_bytes(connection, batch.tenant, self._most_bytes)
            return repeated

        return await self._database.write(work)

    async def finish(self, batch: ActiveBatch, owner: str, errors: Sequence[batches_pb2.LineError]) -> None:
        def work(connection: Connection) -> None:
            if not self._is_own(connection, batch, owner):
                return
            now = self._database.now(connection)
            of_batch = (of_tenant(LINES, batch.tenant), LINES.c.batch == batch.id)
            if errors:
                connection.execute(delete(LINES).where(*of_batch))
                sealed = connection.scalar(select(BATCHES.c.words).where(one_batch(batch.tenant, batch.id))) or b""
                words = batches_pb2.Batch.FromString(self._vault.opened(sealed, batch.tenant, WORDS, batch.id))
                words.errors.extend(errors)
                closed = self._vault.closed(words.SerializeToString(), batch.tenant, WORDS, batch.id)
                values = {"state": batches_pb2.BATCH_STATE_FAILED, "words": closed, "ended": now, "deletes": now + self._keep_results}
                values["stored_bytes"] = 0
            else:
                count = connection.scalar(select(func.count()).select_from(LINES).where(*of_batch)) or 0
                values = {"state": batches_pb2.BATCH_STATE_IN_PROGRESS, "started": now, "total": count}
            connection.execute(update(BATCHES).where(one_batch(batch.tenant, batch.id)).values(**values, reader="", reader_until=0))

        await self._database.write(work)

    @staticmethod
    def _is_own(connection: Connection, batch: ActiveBatch, owner: str) -> bool:
        """Whether the instance still is to read it: it may have been cancelled, or taken over."""
        row = connection.execute(for_update(select(BATCHES).where(one_batch(batch.tenant, batch.id)))).first()
        return row is not None and row.state == _VALIDATING and row.reader == owner
