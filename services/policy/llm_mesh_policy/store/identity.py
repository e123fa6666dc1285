"""Identity and rules in SQL.

Changes take the lock of the one revision row first: they run one after the other on every instance, so that revisions are
committed in their order and what a change was decided by still holds when it is written.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, and_, delete, or_, select, update
from sqlalchemy import Row as SqlRow

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.domain.identity.keys import StoredKey
from llm_mesh_policy.domain.identity.ports import Contents, Row, Transaction
from llm_mesh_policy.store import ledger_each
from llm_mesh_policy.store.audit_reading import record_of
from llm_mesh_policy.store.audit_tables import audit_records
from llm_mesh_policy.store.identity_tables import COLLECTIONS, MAKING, bootstraps, keys, peppers, resources, revision
from llm_mesh_runtime.database import Database, Prepared, for_update, upsert
from llm_mesh_runtime.settings import Problem, SettingsError

if TYPE_CHECKING:
    from llm_mesh_policy.domain.audit import AuditEntry
    from llm_mesh_policy.store.audit import AuditTrail

T = TypeVar("T")

_PATIENCE = 2.0

_MAKING_BITS = 62
_MARKS = MappingProxyType({collection: number for number, collection in enumerate(COLLECTIONS, start=2)})

_present = select(revision.c.value).where(revision.c.id == 1)
_PRESENT = Prepared(_present)


class SqlIdentity:
    """The store, behind the domain's port."""

    def __init__(self, database: Database, trail: AuditTrail) -> None:
        self._database = database
        self._trail = trail

    async def change(self, work: Callable[[Transaction], T]) -> T:
        def locked(connection: Connection) -> T:
            present = connection.execute(for_update(_present)).scalar_one()
            return work(SqlTransaction(connection, self._database, self._trail, present))

        return await self._database.write(locked)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        def reading(connection: Connection) -> T:
            present = connection.execute(_present).scalar_one()
            return work(SqlTransaction(connection, self._database, self._trail, present))

        return await self._database.read(reading)

    async def contents(self, since: int) -> Contents | None:
        def reading(connection: Connection) -> Contents | None:
            (present,) = _PRESENT.rows(connection)[0]
            if present == since:
                return None
            marks = {mark.id: mark.value for mark in connection.execute(select(revision.c.id, revision.c.value))}
            rows = {
                name: [_row(found) for found in connection.execute(select(table))]
                for name, table in resources.items()
                if since <= 0 or marks.get(_MARKS[name], 0) > since
            }
            changed = connection.execute(select(keys).where(keys.c.revision > since))
            return Contents(present, self._database.now(connection), rows, [_key(found) for found in changed])

        return await self._database.read(reading, patience=_PATIENCE)


class SqlTransaction:
    """One transaction, behind the domain's port."""

    def __init__(self, connection: Connection, database: Database, trail: AuditTrail, present: int) -> None:
        self.connection = connection
        self._database = database
        self._trail = trail
        self._revision = present
        self._advanced = False

    def now(self) -> int:
        return self._database.now(self.connection)

    def revision(self) -> int:
        return self._revision

    def advance(self) -> int:
        if not self._advanced:
            self._advanced = True
            self._revision += 1
            self.connection.execute(update(revision).where(revision.c.id == 1).values(value=self._revision))
            upsert(self.connection, revision, {"id": MAKING, "value": secrets.randbits(_MAKING_BITS)}, key=["id"])
        return self._revision

    def find(self, collection: str, domain: str, identity: str) -> Row | None:
        table = resources[collection]
        found = self.connection.execute(select(table).where(table.c.domain == domain, table.c.id == identity)).first()
        return _row(found) if found else None

    def page(self, collection: str, domain: str, after: str, limit: int) -> list[Row]:
        table = resources[collection]
        wanted = select(table).where(table.c.id > after).order_by(table.c.id).limit(limit)
        if collection != "domains":
            wanted = wanted.where(table.c.domain == domain)
        return [_row(found) for found in self.connection.execute(wanted)]

    def save(self, collection: str, row: Row) -> Row:
        self._mark(collection)
        known = self.find(collection, row.domain, row.id)
        now = self.now()
        saved = Row(row.domain, row.id, row.body, known.create_time if known else now, now)
        values = {name: getattr(saved, name) for name in ("domain", "id", "body", "create_time", "update_time")}
        upsert(self.connection, resources[collection], values, key=["domain", "id"])
        if collection == "domains" and known is None:
            ledger_each.add_domain(self.connection, f"domains/{row.id}", now)
        return saved

    def remove(self, collection: str, domain: str, identity: str) -> None:
        self._mark(collection)
        table = resources[collection]
        self.connection.execute(delete(table).where(table.c.domain == domain, table.c.id == identity))

    def _mark(self, collection: str) -> None:
        """Notes by which revision a collection changed last, so that only it is read again."""
        upsert(self.connection, revision, {"id": _MARKS[collection], "value": self.advance()}, key=["id"])

    def find_key(self, domain: str, project: str, identity: str) -> StoredKey | None:
        wanted = select(keys).where(keys.c.domain == domain, keys.c.project == project, keys.c.id == identity)
        found = self.connection.execute(wanted).first()
        return _key(found) if found else None

    def page_keys(self, domain: str, project: str, before: tuple[int, str] | None, limit: int) -> list[StoredKey]:
        wanted = select(keys).where(keys.c.domain == domain).order_by(keys.c.create_time.desc(), keys.c.id).limit(limit)
        if project:
            wanted = wanted.where(keys.c.project == project)
        if before:
            time, identity = before
            wanted = wanted.where(or_(keys.c.create_time < time, and_(keys.c.create_time == time, keys.c.id > identity)))
        return [_key(found) for found in self.connection.execute(wanted)]

    def save_key(self, key: StoredKey) -> None:
        values: dict[str, Any] = {column.name: getattr(key, column.name) or None for column in keys.columns}
        values |= {"create_time": key.create_time, "body": key.body, "revision": self.advance()}
        upsert(self.connection, keys, values, key=["domain", "project", "id"])

    def use_bootstrap(self, token_digest: bytes, principal: str) -> bool:
        values = {"token_digest": token_digest, "time": self.now(), "principal": principal}
        return upsert(self.connection, bootstraps, values, key=["token_digest"], update=[]) == 1

    def audit(self, entry: AuditEntry) -> int:
        return self._trail.append(self.connection, entry)

    def page_audit(self, domain: str, request_id: str, before: int, limit: int) -> list[rules_pb2.AuditRecord]:
        table = audit_records
        wanted = select(table).order_by(table.c.sequence.desc()).limit(limit)
        if domain:
            wanted = wanted.where(table.c.domain == domain)
        if request_id:
            wanted = wanted.where(table.c.request_id == request_id)
        if before:
            wanted = wanted.where(table.c.sequence < before)
        return [record_of(found) for found in self.connection.execute(wanted)]


def check_pepper(connection: Connection, database: Database, digest: bytes) -> None:
    """Refuses to start with a pepper other than the one that the stored keys were hashed with."""
    known = connection.execute(select(peppers.c.check_digest)).scalar()
    if known is None:
        upsert(connection, peppers, {"check_digest": digest, "time": database.now(connection)}, key=["check_digest"], update=[])
    elif bytes(known) != digest:
        problem = "is not the one that the keys in this database were made with; none of them would be valid"
        raise SettingsError([Problem("LLM_MESH_POLICY_KEY_PEPPER", problem)])


def _row(found: SqlRow[Any]) -> Row:
    return Row(found.domain, found.id, bytes(found.body), found.create_time, found.update_time)


def _key(found: SqlRow[Any]) -> StoredKey:
    return StoredKey(
        domain=found.domain,
        project=found.project,
        id=found.id,
        principal=found.principal,
        body=bytes(found.body),
        digest=bytes(found.digest),
        create_time=found.create_time,
        expire_time=found.expire_time or 0,
        revoke_time=found.revoke_time or 0,
        previous_digest=bytes(found.previous_digest or b""),
        previous_expire_time=found.previous_expire_time or 0,
        revision=found.revision,
    )
