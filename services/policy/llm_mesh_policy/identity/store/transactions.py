"""Identity and rules in SQL.

Changes take the lock of the one revision row first: they run one after the other on every instance, so that revisions are
committed in their order and what a change was decided by still holds when it is written.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, and_, delete, func, or_, select, update
from sqlalchemy import Row as SqlRow

from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from llm_mesh_policy.domain.keys import StoredKey
from llm_mesh_policy.domain.kinds import PROJECTS
from llm_mesh_policy.domain.resources import Contents, StoredResource, Transaction
from llm_mesh_policy.identity.store.tables import (
    DOMAINS,
    FORGOTTEN,
    MARKS,
    ROW_MARKS,
    UNTOLD,
    bootstraps,
    keys,
    peppers,
    removals,
    resources,
)
from llm_mesh_policy.store.revision import MAKING, revision
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork, connection_of
from llm_mesh_runtime.database import Database, PreparedStatement, for_update, upsert
from llm_mesh_runtime.settings import SettingProblem, SettingsError

if TYPE_CHECKING:
    from llm_mesh_policy.domain.audit_entry import AuditEntry
    from llm_mesh_policy.domain.unit_of_work import UnitOfWork
    from llm_mesh_policy.identity.ports import AuditLog, ResourceFollower
    from llm_mesh_runtime.resources import Quotas

T = TypeVar("T")

_TIMEOUT_SECONDS = 2.0
_WHOLE_PATIENCE = 60.0

_MAKING_BITS = 62
_REMEMBERED = 100_000
"""Revisions for which removals are kept. Who is further behind reads everything."""

_present = select(revision.c.value).where(revision.c.id == 1)
_PRESENT = PreparedStatement(_present)


class SqlIdentity:
    """The store, behind the domain's port."""

    def __init__(self, database: Database, trail: AuditLog, quotas: Quotas, follower: ResourceFollower) -> None:
        self._database = database
        self._trail = trail
        self._quotas = quotas
        self._follower = follower

    async def change(self, work: Callable[[Transaction], T]) -> T:
        def locked(connection: Connection) -> T:
            present = connection.execute(for_update(_present)).scalar_one()
            return work(self._transaction(connection, present))

        return await self._database.write(locked)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        def reading(connection: Connection) -> T:
            present = connection.execute(_present).scalar_one()
            return work(self._transaction(connection, present))

        return await self._database.read(reading)

    def _transaction(self, connection: Connection, present: int) -> SqlTransaction:
        return SqlTransaction(connection, self._database, self._trail, self._quotas, self._follower, present)

    async def contents(self, since: int) -> Contents | None:
        def reading(connection: Connection) -> Contents | None:
            (present,) = _PRESENT.rows(connection)[0]
            if present == since:
                return None
            return contents_of(connection, since, present, self._database.now(connection))

        return await self._database.read(reading, time_limit=_TIMEOUT_SECONDS if since else _WHOLE_PATIENCE)


def contents_of(connection: Connection, since: int, present: int, now: int) -> Contents:
    """What changed after a revision, or everything where that cannot be told."""
    marks = {mark.id: mark.value for mark in connection.execute(select(revision.c.id, revision.c.value))}
    if since <= 0 or since > present or since < marks.get(FORGOTTEN, 0) or since < _untold(marks):
        rows = {name: _rows(connection, name, 0) for name in resources}
        return Contents(present, now, rows, {}, _keys(connection, 0), whole=True)
    rows = {name: _rows(connection, name, since) for name in resources if marks.get(ROW_MARKS[name], 0) > since}
    removed: dict[str, list[tuple[str, str]]] = {}
    for gone in connection.execute(select(removals).where(removals.c.revision > since)):
        removed.setdefault(gone.collection, []).append((gone.domain, gone.id))
    return Contents(present, now, rows, removed, _keys(connection, since))


def _untold(marks: Mapping[int, int]) -> int:
    """The last revision by which a build of the release before wrote rows, which then do not have it; 0 where none did."""
    written = (marks.get(MARKS[name], 0) for name in MARKS if marks.get(MARKS[name], 0) > marks.get(ROW_MARKS[name], 0))
    return max((marks.get(UNTOLD, 0), *written))


def _rows(connection: Connection, collection: str, since: int) -> list[StoredResource]:
    table = resources[collection]
    statement = select(table).where(table.c.revision > since) if since else select(table)
    return [_row(sql_row) for sql_row in connection.execute(statement)]


def _keys(connection: Connection, since: int) -> list[StoredKey]:
    statement = select(keys).where(keys.c.revision > since)
    return [_key(sql_row) for sql_row in connection.execute(statement if since else statement.where(keys.c.revoke_time.is_(None)))]


class SqlTransaction(SqlUnitOfWork):
    """One transaction, behind the domain's port."""

    def __init__(
        self, connection: Connection, database: Database, trail: AuditLog, quotas: Quotas, follower: ResourceFollower, present: int
    ) -> None:
        super().__init__(connection, database)
        self._follower = follower
        self._trail = trail
        self._quotas = quotas
        self._revision = present
        self._advanced = False
        self._marked: set[str] = set()

    def revision(self) -> int:
        return self._revision

    def advance(self) -> int:
        if not self._advanced:
            self._advanced = True
            self._revision += 1
            self.connection.execute(update(revision).where(revision.c.id == 1).values(value=self._revision))
            upsert(self.connection, revision, {"id": MAKING, "value": secrets.randbits(_MAKING_BITS)}, key=["id"])
        return self._revision

    def find(self, collection: str, domain: str, identity: str) -> StoredResource | None:
        table = resources[collection]
        sql_row = self.connection.execute(select(table).where(table.c.domain == domain, table.c.id == identity)).first()
        return _row(sql_row) if sql_row else None

    def page(self, collection: str, domain: str, after: str, limit: int) -> list[StoredResource]:
        table = resources[collection]
        statement = select(table).where(table.c.id > after).order_by(table.c.id).limit(limit)
        if collection != DOMAINS:
            statement = statement.where(table.c.domain == domain)
        return [_row(sql_row) for sql_row in self.connection.execute(statement)]

    def save(self, collection: str, row: StoredResource) -> StoredResource:
        self._mark(collection)
        known = self.find(collection, row.domain, row.id)
        now = self.now()
        saved = StoredResource(row.domain, row.id, row.body, known.create_time if known else now, now)
        values = {name: getattr(saved, name) for name in ("domain", "id", "body", "create_time", "update_time")}
        values["revision"] = self._revision
        upsert(self.connection, resources[collection], values, key=["domain", "id"])
        if known is None:
            self._grown(collection, [row.domain])
        self._erase_answers(collection, [row])
        return saved

    def save_all(self, collection: str, rows: Sequence[StoredResource], *, grown: Collection[str]) -> None:
        self._mark(collection)
        names = ("domain", "id", "body", "create_time", "update_time")
        values = [{name: getattr(row, name) for name in names} | {"revision": self._revision} for row in rows]
        upsert(self.connection, resources[collection], values, key=["domain", "id"], update=["body", "update_time", "revision"])
        self._grown(collection, grown)
        self._erase_answers(collection, rows)

    def _erase_answers(self, collection: str, rows: Sequence[StoredResource]) -> None:
        """Has the kept answers erased of projects that do not keep any from now on."""
        if collection != PROJECTS.collection:
            return
        names = [PROJECTS.name_of(row) for row in rows if not identity_pb2.Project.FromString(row.body).keep_answers]
        if names:
            self._follower.answers_ended(self, names)

    def _grown(self, collection: str, domains: Collection[str]) -> None:
        """What follows from new resources: of domains all count against their quota, of other resources those of their domain."""
        table = resources[collection]
        count = select(func.count()).select_from(table)
        if collection == DOMAINS:
            for domain in domains:
                self._follower.domain_added(self, f"domains/{domain}")
            if domains:
                self._quotas.check("the mesh", collection, self.connection.execute(count).scalar_one())
            return
        for domain in domains:
            present = self.connection.execute(count.where(table.c.domain == domain)).scalar_one()
            self._quotas.check(f"domains/{domain}", collection, present)

    def remove(self, collection: str, domain: str, identity: str) -> None:
        self._mark(collection)
        table = resources[collection]
        self.connection.execute(delete(table).where(table.c.domain == domain, table.c.id == identity))
        if collection == PROJECTS.collection:
            self._follower.answers_ended(self, [f"domains/{domain}/projects/{identity}"])
        values = {"collection": collection, "domain": domain, "id": identity, "revision": self._revision}
        upsert(self.connection, removals, values, key=["collection", "domain", "id"])
        self._forget(self._revision - _REMEMBERED)

    def _forget(self, before: int) -> None:
        """Deletes removals that are long past, and notes that they are not all there any more."""
        if self.connection.execute(delete(removals).where(removals.c.revision <= before)).rowcount > 0:
            upsert(self.connection, revision, {"id": FORGOTTEN, "value": before}, key=["id"])

    def _mark(self, collection: str) -> None:
        """Notes by which revision a collection changed last, so that only it is read again."""
        if collection in self._marked:
            return
        self._marked.add(collection)
        present = self.advance()
        statement = select(revision.c.id, revision.c.value).where(revision.c.id.in_((UNTOLD, MARKS[collection], ROW_MARKS[collection])))
        marks = {mark.id: mark.value for mark in self.connection.execute(statement)}
        values = {MARKS[collection]: present, ROW_MARKS[collection]: present}
        if marks.get(MARKS[collection], 0) > marks.get(ROW_MARKS[collection], 0):
            values[UNTOLD] = max(marks.get(UNTOLD, 0), marks[MARKS[collection]])
        for number, value in values.items():
            upsert(self.connection, revision, {"id": number, "value": value}, key=["id"])

    def find_key(self, domain: str, project: str, identity: str) -> StoredKey | None:
        statement = select(keys).where(keys.c.domain == domain, keys.c.project == project, keys.c.id == identity)
        sql_row = self.connection.execute(statement).first()
        return _key(sql_row) if sql_row else None

    def page_keys(self, domain: str, project: str, before: tuple[int, str] | None, limit: int) -> list[StoredKey]:
        statement = select(keys).where(keys.c.domain == domain).order_by(keys.c.create_time.desc(), keys.c.id).limit(limit)
        if project:
            statement = statement.where(keys.c.project == project)
        if before:
            time, identity = before
            statement = statement.where(or_(keys.c.create_time < time, and_(keys.c.create_time == time, keys.c.id > identity)))
        return [_key(sql_row) for sql_row in self.connection.execute(statement)]

    def save_key(self, key: StoredKey) -> None:
        values: dict[str, Any] = {column.name: getattr(key, column.name) or None for column in keys.columns}
        values |= {"create_time": key.create_time, "body": key.body, "revision": self.advance()}
        known = self.find_key(key.domain, key.project, key.id)
        upsert(self.connection, keys, values, key=["domain", "project", "id"])
        if known is None:
            live = select(func.count()).where(keys.c.domain == key.domain, keys.c.revoke_time.is_(None))
            self._quotas.check(f"domains/{key.domain}", "keys", self.connection.execute(live).scalar_one())

    def use_bootstrap(self, token_digest: bytes, principal: str) -> bool:
        values = {"token_digest": token_digest, "time": self.now(), "principal": principal}
        return upsert(self.connection, bootstraps, values, key=["token_digest"], update=[]) == 1

    def audit(self, entry: AuditEntry) -> int:
        return self._trail.append(self, entry)

    def audit_all(self, entries: Sequence[AuditEntry]) -> None:
        self._trail.extend(self, entries)

    def page_audit(self, domain: str, request_id: str, before: int, limit: int) -> list[rules_pb2.AuditRecord]:
        return self._trail.page(self, domain, request_id, before, limit)


def domain_names(unit: UnitOfWork) -> list[str]:
    """The names of all domains, as they are in a transaction."""
    table = resources[DOMAINS]
    return [f"domains/{row.id}" for row in connection_of(unit).execute(select(table.c.id))]


def check_pepper(connection: Connection, database: Database, digest: bytes) -> None:
    """Refuses to start with a pepper other than the one that the stored keys were hashed with."""
    known = connection.execute(select(peppers.c.check_digest)).scalar()
    if known is None:
        upsert(connection, peppers, {"check_digest": digest, "time": database.now(connection)}, key=["check_digest"], update=[])
    elif bytes(known) != digest:
        problem = "is not the one that the keys in this database were made with; none of them would be valid"
        raise SettingsError([SettingProblem("LLM_MESH_POLICY_KEY_PEPPER", problem)])


def _row(sql_row: SqlRow[Any]) -> StoredResource:
    return StoredResource(sql_row.domain, sql_row.id, bytes(sql_row.body), sql_row.create_time, sql_row.update_time)


def _key(sql_row: SqlRow[Any]) -> StoredKey:
    return StoredKey(
        domain=sql_row.domain,
        project=sql_row.project,
        id=sql_row.id,
        principal=sql_row.principal,
        body=bytes(sql_row.body),
        digest=bytes(sql_row.digest),
        create_time=sql_row.create_time,
        expire_time=sql_row.expire_time or 0,
        revoke_time=sql_row.revoke_time or 0,
        previous_digest=bytes(sql_row.previous_digest or b""),
        previous_expire_time=sql_row.previous_expire_time or 0,
        revision=sql_row.revision,
    )
