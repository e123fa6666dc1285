"""Whether keys count now, by the database and within the transaction that asks: known, not revoked, not expired, owner enabled.

All but the time follows from the revision, which every change of a key or principal moves in its own transaction. So a
transaction reads the revision, and a key only where it was not read at that revision before: at that very one, since a
change that was undone leaves its number to the next.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, select

from llm_mesh.policy.v1 import identity_pb2
from llm_mesh_policy.domain.kinds import KEY_NAME
from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.identity.store.tables import keys, resources
from llm_mesh_policy.store.revision import MAKING, Revision, revision
from llm_mesh_policy.store.unit_of_work import connection_of
from llm_mesh_runtime.database import PreparedStatement
from llm_mesh_runtime.database.prepared import Row

_MOST = 65_536
_NEVER = 0
_ALWAYS = 1 << 62

_REVISION = PreparedStatement(
    select(
        select(revision.c.value).where(revision.c.id == 1).scalar_subquery(),
        select(revision.c.value).where(revision.c.id == MAKING).scalar_subquery(),
    )
)
_KEY = PreparedStatement(
    select(keys.c.revoke_time, keys.c.expire_time, keys.c.principal).where(
        keys.c.domain == bindparam("of_domain"), keys.c.project == bindparam("of_project"), keys.c.id == bindparam("of_id")
    )
)
_PRINCIPALS = resources["principals"]
_OWNER = PreparedStatement(
    select(_PRINCIPALS.c.body).where(_PRINCIPALS.c.domain == bindparam("of_domain"), _PRINCIPALS.c.id == bindparam("of_id"))
)


class Standing:
    """Keys as they stand at the newest revision that a transaction has seen. Shared by the threads that write."""

    def __init__(self) -> None:
        self._read: tuple[Row | None, dict[str, int]] = (None, {})

    def dead(self, unit: UnitOfWork, names: Collection[str], now: int, revision: Revision | None = None) -> set[str]:
        """Those of the keys that do not count at a moment of the store's time. Reads the revision where the transaction has not yet."""
        connection = connection_of(unit)
        present = revision or _REVISION.first(connection)
        seen, until = self._read
        if seen != present or len(until) >= _MOST:
            until = {}
            self._read = (present, until)
        dead = set()
        for name in names:
            end = until.get(name)
            if end is None:
                end = until[name] = _until(connection, name)
            if end <= now:
                dead.add(name)
        return dead


def _until(connection: Connection, name: str) -> int:
    """When a key ends, in microseconds; `_NEVER` began where it does not count at all."""
    domain, project, identity = KEY_NAME.parse(name, "key")
    row = _KEY.first(connection, of_domain=domain, of_project=project, of_id=identity)
    if row is None or row[0]:
        return _NEVER
    owner = _OWNER.first(connection, of_domain=domain, of_id=row[2].rpartition("/")[2])
    if owner is None or identity_pb2.Principal.FromString(owner[0]).disabled:
        return _NEVER
    return row[1] or _ALWAYS
