"""Lets `ApplyPolicy` change budgets and limits in the same transaction as everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from llm_mesh_policy.identity.store.transactions import SqlTransaction

if TYPE_CHECKING:
    from llm_mesh.policy.v1 import ledger_pb2
    from llm_mesh_policy.domain.resources import Transaction
    from llm_mesh_policy.rules.domain.applying import Masks, Step
    from llm_mesh_policy.wiring.halves import LedgerHalf


class LedgerInTransaction:
    """The ledger's changes, by the connection of identity's transaction."""

    def __init__(self, ledger: LedgerHalf) -> None:
        self._ledger = ledger

    def apply_budget(self, transaction: Transaction, budget: ledger_pb2.Budget, masks: Masks, *, dry_run: bool) -> Step:
        """Brings a budget to the wanted state."""
        return self._ledger.apply_budget(cast("SqlTransaction", transaction).connection, budget, masks, dry_run=dry_run)

    def apply_limit(self, transaction: Transaction, limit: ledger_pb2.Limit, masks: Masks, *, dry_run: bool) -> Step:
        """Brings a limit to the wanted state."""
        return self._ledger.apply_limit(cast("SqlTransaction", transaction).connection, limit, masks, dry_run=dry_run)
