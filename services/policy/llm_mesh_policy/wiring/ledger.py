"""The ledger's half of policy, put together."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llm_mesh_policy.domain.admission.admitting import Admitting, OutputBounds
from llm_mesh_policy.domain.ledger.accounts import Accounts
from llm_mesh_policy.domain.ledger.lifecycle import Lifecycle, Sweep
from llm_mesh_policy.domain.ledger.replay import Delivery, Replay
from llm_mesh_policy.domain.ledger.reserving import Reserving
from llm_mesh_policy.domain.screening.rules import ACTIONS, Actions, ScreeningRules, problem
from llm_mesh_policy.domain.screening.streams import StreamScreening
from llm_mesh_policy.peers import ObservabilityPeer, RegistryPeer
from llm_mesh_policy.servicer.decisions import DecisionsServicer
from llm_mesh_policy.servicer.ledger import LedgerServicer
from llm_mesh_policy.store.ledger import SqlLedger
from llm_mesh_policy.store.ledger_limits import LedgerLimits
from llm_mesh_policy.store.ledger_reading import LedgerReading
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.settings import Problem, SettingsError
from llm_mesh_runtime.tasks import TaskSet

if TYPE_CHECKING:
    from llm_mesh_policy.settings import Settings
    from llm_mesh_policy.wiring.halves import IdentityHalf
    from llm_mesh_runtime.database import Database
    from llm_mesh_runtime.links import Links


class Ledger:
    """The ledger half of policy."""

    def __init__(self, settings: Settings, links: Links, database: Database, identity: IdentityHalf) -> None:
        currency = links.mesh.currency
        observability = links.optional("observability")
        reading = LedgerReading(database)
        self._delivery = Delivery(reading, ObservabilityPeer(observability)) if observability is not None else None
        changed = self._delivery.wake if self._delivery is not None else lambda: None
        ledger = SqlLedger(database, identity, currency=currency, changed=changed)
        limits = LedgerLimits(database, identity, currency=currency)
        self._registry = RegistryPeer(links.channel("registry"))
        self._sweep = Sweep(ledger)
        self._tasks = TaskSet()
        rules = _rules(settings, identity)
        outputs = OutputBounds(settings.default_output_tokens, settings.most_output_tokens)
        grant_micros = settings.grant_valid_for // timedelta(microseconds=1)
        self.decisions = DecisionsServicer(
            Admitting(identity, links.seals, SystemClock(), rules, outputs=outputs, screen_output=settings.screen_output),
            Reserving(ledger, self._registry, links.seals, currency=currency, grant_micros=grant_micros),
            Lifecycle(ledger),
            StreamScreening(rules, links.seals),
            Replay(reading),
        )
        self.ledger_servicer = LedgerServicer(Accounts(limits, reading, ledger, identity, currency=currency))
        self.apply_budget = limits.apply_budget
        self.apply_limit = limits.apply_limit

    async def start(self) -> None:
        """Follows the registry, watches over epochs, and delivers usage where somebody takes it."""
        self._tasks.spawn(self._registry.watch(), name="policy.registry")
        self._tasks.spawn(self._sweep.run(), name="policy.sweep")
        if self._delivery is not None:
            self._tasks.spawn(self._delivery.run(), name="policy.delivery")

    async def close(self) -> None:
        """Ends background work."""
        await self._tasks.close()


def _rules(settings: Settings, identity: IdentityHalf) -> ScreeningRules:
    wrong = problem(settings.screening)
    if wrong:
        raise SettingsError([Problem("LLM_MESH_POLICY_SCREENING", wrong)])

    def floor(domain: str) -> Actions:
        found = identity.snapshot().floor_of(domain)
        return {rule.detector: ACTIONS[rule.action] for rule in found.screening} if found is not None else {}

    return ScreeningRules(settings.screening, floor)


def build_ledger(settings: Settings, links: Links, database: Database, identity: IdentityHalf) -> Ledger:
    """Puts the ledger together."""
    return Ledger(settings, links, database, identity)
