"""What the ledger's half of policy knows of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from llm_mesh.policy.v1 import admission_pb2
    from llm_mesh_policy.domain.audit_entry import AuditEntry
    from llm_mesh_policy.domain.unit_of_work import UnitOfWork
    from llm_mesh_policy.rules.domain.snapshot import Snapshot
    from llm_mesh_policy.store.revision import Revision


class IdentityHalf(Protocol):
    """What the ledger asks of identity."""

    @property
    def secret(self) -> bytes:
        """The pepper, from which keys for other purposes are derived."""

    def snapshot(self) -> Snapshot:
        """Domains, projects, principals, keys and rules, as last read. STORE_UNAVAILABLE where that is too long ago."""

    def allowed_model(self, caller: admission_pb2.Caller, alias: str) -> None:
        """Raises MODEL_DENIED unless the caller's project and key allow the alias."""

    def callable_models(self, caller: admission_pb2.Caller) -> Sequence[Sequence[str]]:
        """The lists of the caller's project and key that a model must match to be called."""

    def dead(self, unit: UnitOfWork, keys: Collection[str], now: int, revision: Revision | None = None) -> Collection[str]:
        """Those of the keys that do not count now, by the database and within the transaction, which may have read the revision."""

    def extend_audit(self, unit: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        """Adds audit records within the transaction, in their order."""

    def domain_names(self, unit: UnitOfWork) -> Collection[str]:
        """The names of all domains, as they are in the transaction."""
