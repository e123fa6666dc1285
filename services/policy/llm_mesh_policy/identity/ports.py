"""What identity needs of other slices within its transactions: an audit trail, and somebody who follows what it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from llm_mesh.policy.v1 import audit_pb2, rules_pb2
    from llm_mesh_policy.domain.audit_entry import AuditEntry
    from llm_mesh_policy.domain.unit_of_work import UnitOfWork


class AuditLog(Protocol):
    """The audit trail."""

    def append(self, unit: UnitOfWork, entry: AuditEntry) -> int:
        """Adds a record; answers with its sequence."""

    def extend(self, unit: UnitOfWork, entries: Sequence[AuditEntry]) -> int:
        """Adds records in their order; answers with the sequence of the last."""

    def page(self, unit: UnitOfWork, domain: str, request_id: str, before: int, limit: int) -> list[rules_pb2.AuditRecord]:
        """Records before a sequence, newest first: of a domain and of a request, where those are given."""


class ChangeLog(Protocol):
    """The audit trail, for what is no change of policy's own resources."""

    async def record(self, source: str, changes: Sequence[audit_pb2.ChangeRecord]) -> int:
        """Records changes in the name of a service; answers how many were not recorded before."""


class ResourceFollower(Protocol):
    """The ledger, which has meters for each domain and keeps answers of projects."""

    def domain_added(self, unit: UnitOfWork, domain: str) -> None:
        """Makes the meters that limits of each domain want for one that was just created."""

    def answers_ended(self, unit: UnitOfWork, projects: Sequence[str]) -> None:
        """Projects keep no answers from now on: those that they have must be erased."""
