"""What the ledger does in the transactions of identity: a new domain gets its meters, and answers that may not be kept are erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_mesh_policy.ledger.store import answer_rows, each_domain
from llm_mesh_policy.store.unit_of_work import connection_of

if TYPE_CHECKING:
    from llm_mesh_policy.domain.unit_of_work import UnitOfWork


class LedgerFollower:
    """Follows what identity changes."""

    def domain_added(self, unit: UnitOfWork, domain: str) -> None:
        each_domain.add_domain(connection_of(unit), domain, unit.now())

    def answers_ended(self, unit: UnitOfWork, projects: Sequence[str]) -> None:
        answer_rows.erase_of(connection_of(unit), projects, unit.now())
