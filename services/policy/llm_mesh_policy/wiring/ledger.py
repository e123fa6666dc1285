"""The ledger's half of policy, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from llm_mesh_policy.admission.domain.admitting import Admitting, OutputBounds
from llm_mesh_policy.admission.servicer import AdmitServicer
from llm_mesh_policy.audit.store.records import AuditRecords
from llm_mesh_policy.ledger.domain.accounts import Accounts
from llm_mesh_policy.ledger.domain.alerts import AlertKind, Alerts
from llm_mesh_policy.ledger.domain.answer_sweep import AnswerSweep
from llm_mesh_policy.ledger.domain.charges import Charges
from llm_mesh_policy.ledger.domain.kept_answers import KeepOutcome, KeptAnswers
from llm_mesh_policy.ledger.domain.lifecycle import Lifecycle, Sweep
from llm_mesh_policy.ledger.domain.meter_check import MeterCheck
from llm_mesh_policy.ledger.domain.refusing import Refusing
from llm_mesh_policy.ledger.domain.replay import Delivery, ReplayedRecords
from llm_mesh_policy.ledger.domain.reserving import Reserving
from llm_mesh_policy.ledger.domain.sharing import Sharing
from llm_mesh_policy.ledger.domain.speeds import Speeds
from llm_mesh_policy.ledger.peers import ObservabilityPeer, ProductRegistryPeer
from llm_mesh_policy.ledger.servicer.decisions import DecisionsServicer
from llm_mesh_policy.ledger.servicer.ledger import LedgerServicer
from llm_mesh_policy.ledger.store.answer_cipher import AnswerCipher
from llm_mesh_policy.ledger.store.kept_answers import SqlKeptAnswers
from llm_mesh_policy.ledger.store.ledger import SqlLedger
from llm_mesh_policy.ledger.store.limits import LedgerLimits
from llm_mesh_policy.ledger.store.reading import LedgerReading
from llm_mesh_policy.ledger.store.sums import LedgerSums
from llm_mesh_policy.screening.domain.rules import ACTIONS, Actions, ScreeningRules, problem
from llm_mesh_policy.screening.domain.streams import StreamScreening
from llm_mesh_policy.screening.domain.trail import ScreeningTrail
from llm_mesh_policy.screening.servicer import ScreenServicer
from llm_mesh_policy.wiring.screening import AuditedScreening
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.settings import SettingProblem, SettingsError
from llm_mesh_runtime.tasks import TaskSet

if TYPE_CHECKING:
    from llm_mesh_policy.settings import Settings
    from llm_mesh_policy.wiring.halves import IdentityHalf
    from llm_mesh_runtime.database import Database
    from llm_mesh_runtime.links import Links
    from llm_mesh_runtime.telemetry.metrics import Metrics

_MOST_LEARNED_FROM = 500


class LedgerParts:
    """The ledger half of policy."""

    def __init__(self, settings: Settings, links: Links, database: Database, identity: IdentityHalf) -> None:
        currency = links.mesh.currency
        observability = links.optional("observability")
        reading = LedgerReading(database)
        self._delivery = Delivery(reading, ObservabilityPeer(observability)) if observability is not None else None
        changed = self._delivery.wake if self._delivery is not None else lambda: None
        self._speeds = Speeds(settings.output_speed)
        self._reading = reading
        alerts = _alerts(links.metrics)
        refused = settings.projects_without_budget == "refused"
        ledger = SqlLedger(database, identity, currency=currency, changed=changed, speeds=self._speeds, budget_required=refused)
        limits = LedgerLimits(database, identity, settings.quotas, currency=currency)
        self._registry = ProductRegistryPeer(links.channel("registry"))
        self._sweep = Sweep(ledger)
        sums = LedgerSums(database, identity, most=settings.meter_check_entries)
        self._meter_check = MeterCheck(sums, alerts, _shown(links.metrics), every=settings.meter_check_every.total_seconds())
        self._tasks = TaskSet()
        rules = _rules(settings, identity)
        outputs = OutputBounds(settings.default_output_tokens, settings.most_output_tokens)
        grant_micros = settings.grant_valid_for // timedelta(microseconds=1)
        screening = AuditedScreening(AuditRecords(database, identity), ledger)
        self._trail = ScreeningTrail(screening, screening)
        admitting = Admitting(
            identity,
            links.seals,
            SystemClock(),
            rules,
            outputs=outputs,
            screen_output=settings.screen_output,
            heavy=links.heavy,
            trail=self._trail,
            most_values=settings.screened_json_values,
        )
        kept_answers = SqlKeptAnswers(
            database,
            identity,
            AnswerCipher(identity.secret),
            kept_for=settings.kept_answers_for,
            project_bytes=settings.kept_answers_project_bytes,
        )
        self._answer_sweep = AnswerSweep(kept_answers, identity.snapshot)
        self.admission = AdmitServicer(admitting)
        self.screening = ScreenServicer(StreamScreening(rules, links.seals, self._trail))
        self.decisions = DecisionsServicer(
            Reserving(ledger, self._registry, links.seals, Sharing(identity.snapshot), currency=currency, grant_micros=grant_micros),
            Lifecycle(ledger, self._speeds, alerts, _charges(links.metrics)),
            ReplayedRecords(reading),
            KeptAnswers(
                kept_answers, identity.snapshot, links.seals, most_bytes=settings.kept_answer_bytes, counted=_counted(links.metrics)
            ),
            refusing=Refusing(links.seals),
        )
        self.ledger_servicer = LedgerServicer(Accounts(limits, reading, ledger, identity, currency=currency, alerts=alerts))
        self.apply_budget = limits.apply_budget
        self.apply_limit = limits.apply_limit

    async def start(self) -> None:
        """Follows the registry, watches over epochs, and delivers usage where somebody takes it."""
        self._tasks.spawn(self._registry.watch(), name="policy.registry")
        self._tasks.spawn(self._sweep.run(), name="policy.sweep")
        self._tasks.spawn(self._answer_sweep.run(), name="policy.kept_answers")
        self._tasks.spawn(self._meter_check.run(), name="policy.meters")
        self._tasks.spawn(self._learn_speeds(), name="policy.speeds")
        if self._delivery is not None:
            self._tasks.spawn(self._delivery.run(), name="policy.delivery")

    async def _learn_speeds(self) -> None:
        """From the newest entries. Where the store is in trouble, speeds are learned as requests end."""
        try:
            ended = await self._reading.newest(_MOST_LEARNED_FROM)
        except MeshError as error:
            get_logger().info("speeds of models are not known yet", reason=error.reason_name)
            return
        for reservation in ended:
            self._speeds.learn(reservation.entry.lines, max((line.candidates for line in reservation.lines), default=1))
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Ends background work."""
        await self._tasks.close()
        await self._trail.close()


def _alerts(metrics: Metrics) -> Alerts:
    counter = metrics.counter("llm_mesh.ledger.alerts", "Alerts of the ledger: what should not happen, and the log explains.", ("kind",))
    return Alerts({kind: counter.labels(kind.value) for kind in AlertKind})


def _counted(metrics: Metrics) -> Callable[[KeepOutcome], None]:
    text = "Answers to requests with an idempotency key, in projects that keep answers, by whether they were kept."
    counter = metrics.counter("llm_mesh.kept_answers", text, ("outcome",))
    labelled = {outcome: counter.labels(outcome.value) for outcome in KeepOutcome}
    return lambda outcome: labelled[outcome].inc()


def _charges(metrics: Metrics) -> Charges:
    text = "What settled requests were charged, in thousand-millionths of the currency's unit."
    return Charges(metrics.counter("llm_mesh.cost", text, ("llm_mesh.currency", "llm_mesh.model"), unit="nanos").labels)


def _shown(metrics: Metrics) -> Callable[[Mapping[str, int], int], None]:
    text = "How far budgets and limits are apart from the sums of their entries, by what they count, at the last check."
    difference = metrics.gauge("llm_mesh.ledger.meter_difference", text, ("metric",))
    unchecked = metrics.gauge("llm_mesh.ledger.meters_unchecked", "Budgets and limits with too many entries to be added up.").labels()

    def show(differences: Mapping[str, int], skipped: int) -> None:
        for metric, amount in differences.items():
            difference.labels(metric).set(amount)
        unchecked.set(skipped)

    return show


def _rules(settings: Settings, identity: IdentityHalf) -> ScreeningRules:
    wrong = problem(settings.screening)
    if wrong:
        raise SettingsError([SettingProblem("LLM_MESH_POLICY_SCREENING", wrong)])

    def floor(domain: str) -> Actions:
        floor = identity.snapshot().floor_of(domain)
        return {rule.detector: ACTIONS[rule.action] for rule in floor.screening} if floor is not None else {}

    return ScreeningRules(settings.screening, floor)


def build_ledger(settings: Settings, links: Links, database: Database, identity: IdentityHalf) -> LedgerParts:
    """Puts the ledger together."""
    return LedgerParts(settings, links, database, identity)
