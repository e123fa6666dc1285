"""What is deleted by itself: files and batches whose time is over, and uploads that nobody finished."""

from __future__ import annotations

from sqlalchemy import Connection, and_, or_, select

from llm_mesh_batches.domain.tenants import Tenant
from llm_mesh_batches.store.batches import remove_batch
from llm_mesh_batches.store.files import is_read, remove
from llm_mesh_batches.store.tables import BATCHES, FILES, UPLOADED
from llm_mesh_runtime.database import Database

_AT_ONCE = 20
_UPLOAD = 3600 * 1_000_000


class SqlHousekeeping:
    """`Housekeeping`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def purge(self) -> int:
        return await self._database.write(self._files) + await self._database.write(self._batches)

    def _files(self, connection: Connection) -> int:
        now = self._database.now(connection)
        over = or_(FILES.c.expires <= now, and_(FILES.c.ready == 0, FILES.c.created <= now - _UPLOAD))
        rows = list(connection.execute(select(FILES).where(over, FILES.c.part == UPLOADED).limit(_AT_ONCE)))
        deleted = 0
        for row in rows:
            if not is_read(connection, Tenant(row.domain, row.project), row.id):
                remove(connection, now, row)
                deleted += 1
        return deleted

    def _batches(self, connection: Connection) -> int:
        over = and_(BATCHES.c.deletes > 0, BATCHES.c.deletes <= self._database.now(connection))
        rows = list(connection.execute(select(BATCHES).where(over).limit(_AT_ONCE)))
        for row in rows:
            remove_batch(connection, Tenant(row.domain, row.project), row.id)
        return len(rows)
