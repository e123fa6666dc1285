"""Kept answers on SQLite or PostgreSQL. Never behind the ledger's lock: money does not wait for content."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, select

from llm_mesh.policy.v1 import admission_pb2, policy_pb2, usage_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.errors import invalid_credential
from llm_mesh_policy.ledger.domain.kept_answers import KeepOutcome, Place, Repeated, key_reused
from llm_mesh_policy.ledger.store import answer_rows as rows
from llm_mesh_policy.ledger.store import entry_rows
from llm_mesh_policy.ledger.store.answer_cipher import AnswerCipher, Label
from llm_mesh_policy.ledger.store.answer_tables import answers, rooms
from llm_mesh_policy.ledger.store.loading import OtherSlices
from llm_mesh_policy.ledger.store.tables import idempotency
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_runtime.database import Database, upsert
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.log import get_logger

_MOST_PROJECTS = 500
"""To erase in one statement; the others follow."""
_MICROSECOND = timedelta(microseconds=1)


class SqlKeptAnswers:
    """`ledger.domain.kept_answers.Store` in a `Database`."""

    def __init__(self, database: Database, accounts: OtherSlices, cipher: AnswerCipher, *, kept_for: timedelta, project_bytes: int) -> None:
        self._database = database
        self._accounts = accounts
        self._cipher = cipher
        self._kept_for = kept_for // _MICROSECOND
        self._project_bytes = project_bytes

    async def keep(self, place: Place, reservation: str, answer: policy_pb2.KeptAnswer) -> KeepOutcome:
        label = Label(place, reservation, answer.type)

        def work(connection: Connection) -> KeepOutcome:
            bound = connection.execute(select(idempotency.c.reservation, idempotency.c.expire_time).where(*rows.key_at(place))).first()
            if bound is None or bound.reservation != reservation:
                return KeepOutcome.UNKNOWN
            present = connection.scalar(select(answers.c.reservation).where(*rows.at(place)))
            if present == reservation:
                return KeepOutcome.STORED
            if present is not None:  # of a request whose key has expired since
                rows.remove(connection, place)
            closed, now = self._cipher.closed(label, answer.content), self._database.now(connection)
            if not rows.take_room(connection, place, len(closed), self._project_bytes):
                return KeepOutcome.NO_ROOM
            row = {"reservation": reservation, "type": answer.type, "content": closed, "size": len(closed)}
            times = {"create_time": now, "expire_time": min(now + self._kept_for, bound.expire_time)}
            if not upsert(connection, answers, place._asdict() | row | times, key=("domain", "project", "key"), update=()):
                rows.give_room(connection, place, len(closed))  # the same settlement, sent twice at the same time
            return KeepOutcome.STORED

        return await self._database.write(work)

    async def find(self, place: Place, digest: bytes, caller: admission_pb2.Caller, request_id: str) -> Repeated | None:
        def work(connection: Connection) -> Repeated | MeshError | None:
            unit = SqlUnitOfWork(connection, self._database)
            now = unit.now()
            if self._accounts.dead(unit, [caller.key], now):
                return invalid_credential()
            bound = connection.execute(
                select(idempotency.c.digest, idempotency.c.reservation, idempotency.c.expire_time).where(*rows.key_at(place))
            ).first()
            if bound is None or bound.expire_time <= now:
                return None
            if bytes(bound.digest) != digest:
                return key_reused()
            repeated = self._repeated(connection, place, bound.reservation, now)
            if repeated is not None:
                self._accounts.extend_audit(unit, [_record(repeated.entry, caller, request_id, now)])
            return repeated

        result = await self._database.write(work)
        if isinstance(result, MeshError):
            raise result
        return result

    def _repeated(self, connection: Connection, place: Place, reservation_id: str, now: int) -> Repeated | None:
        if not rows.has(connection, place, reservation_id, now):
            return None
        row = connection.execute(select(answers.c.type, answers.c.content).where(*rows.at(place))).one()
        content = self._cipher.opened(Label(place, reservation_id, row.type), bytes(row.content))
        reservation = entry_rows.find(connection, reservation_id)
        if content is None or reservation is None or reservation.project != place.project:
            get_logger().error("a kept answer does not open", project=place.project, reservation=reservation_id)
            return None
        return Repeated(reservation.entry, policy_pb2.KeptAnswer(type=row.type, content=content))

    async def projects(self) -> list[str]:
        """Those with answers, or with answers to erase."""
        return await self._database.read(lambda connection: list(connection.scalars(select(rooms.c.project).where(rooms.c.size > 0))))

    async def erase(self, projects: Sequence[str]) -> None:
        """Has all that projects have kept until now erased, and answered to nobody from now on."""

        def work(connection: Connection) -> None:
            rows.erase_of(connection, projects[:_MOST_PROJECTS], self._database.now(connection))

        if projects:
            await self._database.write(work)

    async def sweep(self) -> int:
        """Erases some of what has expired or is to be erased; answers how many. 0: there is nothing more."""

        def work(connection: Connection) -> int:
            now = self._database.now(connection)
            return sum(rows.remove(connection, place) for place in rows.expired(connection, now) or rows.to_erase(connection))

        def gone(connection: Connection) -> bool:
            return bool(rows.expired(connection, self._database.now(connection)) or rows.to_erase(connection))

        return await self._database.write(work) if await self._database.read(gone) else 0


def _record(first: usage_pb2.LedgerEntry, caller: admission_pb2.Caller, request_id: str, now: int) -> AuditEntry:
    return AuditEntry(
        domain=caller.domain,
        action="answers.repeat",
        resource=first.name,
        allowed=True,
        principal=caller.principal,
        key=caller.key,
        detail=f"the kept answer to request {first.request_id}",
        request_id=request_id,
        time=now,
    )
