"""Erases kept answers: those whose time is over, and those of projects that do not keep answers any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from llm_mesh_policy.ledger.domain.kept_answers import KeptAnswerTenancy, keeps_answers
from llm_mesh_runtime.refresh import repeat


class SweptStore(Protocol):
    """The kept answers, from which the sweep erases those of projects that keep none any more."""

    async def projects(self) -> list[str]:
        """Those with answers, or with answers to erase."""

    async def erase(self, projects: Sequence[str]) -> None:
        """Has all that projects have kept until now erased, and answered to nobody from now on."""

    async def sweep(self) -> int:
        """Erases some of what has expired or is to be erased; answers how many. 0: there is nothing more."""


class AnswerSweep:
    """Sweeps again and again. Erasing goes in small works, so that nobody waits long for the store."""

    def __init__(self, store: SweptStore, tenancy: Callable[[], KeptAnswerTenancy], period: float = 30.0) -> None:
        self._store = store
        self._tenancy = tenancy
        self._period = period

    async def run(self) -> None:
        """Sweeps until cancelled. A store in trouble is tried again at the next turn."""
        await repeat(self.once, self._period, failing="sweep of kept answers failed")

    async def once(self) -> int:
        """One turn; answers how many answers were erased."""
        tenancy = self._tenancy()
        await self._store.erase([project for project in await self._store.projects() if not keeps_answers(tenancy, project)])
        total = 0
        while count := await self._store.sweep():
            total += count
        return total
