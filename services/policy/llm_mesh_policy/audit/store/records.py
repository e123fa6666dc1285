"""Audit records of decisions that nothing else of the store goes with."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection

from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_runtime.database import Database


class TrailRecords(Protocol):
    """Where records are added within a transaction."""

    def extend_audit(self, unit: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        """In their order."""


class AuditRecords:
    """Writes single records; those that wait at the same time are committed together."""

    def __init__(self, database: Database, trail: TrailRecords) -> None:
        self._database = database
        self._trail = trail

    async def record(self, entry: AuditEntry) -> None:
        """Answers after the durable commit."""
        await self._database.write_together(self._extend, entry)

    def _extend(self, connection: Connection, entries: Sequence[AuditEntry]) -> Sequence[None]:
        self._trail.extend_audit(SqlUnitOfWork(connection, self._database), entries)
        return [None] * len(entries)
