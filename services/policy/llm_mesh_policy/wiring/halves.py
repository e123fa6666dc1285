"""What the two halves of policy know of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from llm_mesh.policy.v1 import admission_pb2, ledger_pb2, ledger_pb2_grpc
    from llm_mesh_policy.audit.domain.entries import AuditEntry
    from llm_mesh_policy.identity.store.standing import Revision
    from llm_mesh_policy.rules.domain.applying import Masks, Step
    from llm_mesh_policy.rules.domain.snapshot import Snapshot
    from llm_mesh_policy.wiring.servicer import Decisions


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

    def dead(self, connection: Connection, keys: Collection[str], now: int, revision: Revision | None = None) -> Collection[str]:
        """Those of the keys that do not count now, by the database and within the transaction, which may have read the revision."""

    def extend_audit(self, connection: Connection, entries: Sequence[AuditEntry]) -> None:
        """Adds audit records within the transaction, in their order."""


class LedgerHalf(Protocol):
    """What policy asks of the ledger."""

    @property
    def decisions(self) -> Decisions:
        """The ledger's share of `PolicyService`."""

    @property
    def ledger_servicer(self) -> ledger_pb2_grpc.LedgerServiceServicer:
        """`LedgerService`."""

    async def start(self) -> None:
        """Begins background work; the schema is current."""

    async def close(self) -> None:
        """Ends background work; the database is still open."""

    def apply_budget(self, connection: Connection, budget: ledger_pb2.Budget, masks: Masks, *, dry_run: bool) -> Step:
        """Brings a budget to the wanted state; what changed, or would."""

    def apply_limit(self, connection: Connection, limit: ledger_pb2.Limit, masks: Masks, *, dry_run: bool) -> Step:
        """Brings a limit to the wanted state; what changed, or would."""
