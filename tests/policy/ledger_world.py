"""A ledger with its surroundings for tests: fake identity and registry, real seals and store."""

import itertools
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, floors_pb2, identity_pb2, ledger_pb2, policy_pb2, usage_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.errors import model_denied
from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.ledger.domain.kept_answers import KeepOutcome, KeptAnswers, Repeated
from llm_mesh_policy.ledger.domain.lifecycle import Lifecycle
from llm_mesh_policy.ledger.domain.offers import Served
from llm_mesh_policy.ledger.domain.ports import Settled
from llm_mesh_policy.ledger.domain.reserving import Granted, Reserving
from llm_mesh_policy.ledger.domain.sharing import Sharing
from llm_mesh_policy.ledger.domain.speeds import Speeds
from llm_mesh_policy.ledger.store.answer_cipher import AnswerCipher
from llm_mesh_policy.ledger.store.kept_answers import SqlKeptAnswers
from llm_mesh_policy.ledger.store.ledger import SqlLedger
from llm_mesh_policy.ledger.store.limits import LedgerLimits
from llm_mesh_policy.ledger.store.reading import LedgerReading
from llm_mesh_policy.rules.domain.stricter import floor_of
from llm_mesh_policy.settings import Settings
from llm_mesh_policy.store.revision import Revision
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.seals import Seals
from tests.databases import migrated

DOMAIN = "domains/claims"
PROJECT = "domains/claims/projects/triage"
KEY = f"{PROJECT}/keys/k1"
PRINCIPAL = "domains/claims/principals/ana"
MODEL = "domains/shared/models/big"
FREE_MODEL = "domains/shared/models/local"
PRICE = f"{MODEL}/prices/1"
MICROS_PER_CENT = 10_000_000
MOST_ANSWER_BYTES = 1000
MOST_PROJECT_BYTES = 3000
ANSWER_TYPE = "llm_mesh.gateway.v1.RecordedAnswer"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_numbers = itertools.count(1)


def ulid() -> str:
    """A fresh reservation id."""
    number = next(_numbers) | (time.time_ns() // 1_000_000 << 80)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


@dataclass
class FakeIdentity:
    """Identity that knows one project, refuses what tests say, and remembers the audit."""

    revoked: set[str] = field(default_factory=set)
    audit: list[AuditEntry] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    revision: int = 7
    floors: dict[str, floors_pb2.Floor] = field(default_factory=dict)
    callable: list[list[str]] = field(default_factory=list)
    domains: dict[str, identity_pb2.Domain] = field(default_factory=lambda: {DOMAIN: identity_pb2.Domain(name=DOMAIN)})
    projects: dict[str, identity_pb2.Project] = field(default_factory=lambda: {PROJECT: identity_pb2.Project(name=PROJECT)})

    def snapshot(self) -> "FakeIdentity":
        return self

    def floor_of(self, domain: str) -> floors_pb2.Floor | None:
        return floor_of(domain, self.floors)

    def callable_models(self, caller: admission_pb2.Caller) -> Sequence[Sequence[str]]:
        del caller
        return self.callable

    def allowed_model(self, caller: admission_pb2.Caller, alias: str) -> None:
        if alias in self.denied:
            raise model_denied(alias)

    def dead(self, unit: UnitOfWork, keys: Collection[str], now: int, revision: Revision | None = None) -> Collection[str]:
        return self.revoked.intersection(keys)

    def extend_audit(self, unit: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        self.audit += entries

    def domain_names(self, unit: UnitOfWork) -> Collection[str]:
        return list(self.domains)


class FakeRegistry:
    """A priced and a free model."""

    def __init__(self) -> None:
        self.models = {
            MODEL: registry_pb2.Model(name=MODEL, alias="big", adapter="openai", endpoint="openai", upstream_model="big-1"),
            FREE_MODEL: registry_pb2.Model(
                name=FREE_MODEL, alias="local", adapter="openai", endpoint="ollama", upstream_model="local-1", free=True
            ),
        }
        self.prices = {
            PRICE: registry_pb2.Price(
                name=PRICE, currency="USD", input_nanos_per_million=3_000_000_000, output_nanos_per_million=15_000_000_000
            )
        }
        self.accepted: dict[tuple[str, str], registry_pb2.AcceptedProduct] = {}
        self.asked: list[str] = []

    async def served(self, name: str, domain: str) -> Served | None:
        shared = name.startswith(("domains/shared/", f"{domain}/"))
        return self.models.get(name) if shared else self.accepted.get((domain, name))

    async def fresh(self, name: str, domain: str) -> Served | None:
        self.asked.append(name)
        return await self.served(name, domain)

    async def price(self, name: str) -> registry_pb2.Price | None:
        return self.prices.get(name)


def attempt(name: str = "a", *, inputs: int = 1000, outputs: int = 100, model: str = MODEL, **fields: str) -> plan_pb2.Attempt:
    """An attempt as the router would plan it."""
    free = model == FREE_MODEL
    made = plan_pb2.Attempt(
        id=name,
        adapter="openai",
        endpoint="ollama" if free else "openai",
        upstream_model="local-1" if free else "big-1",
        model=model,
        price="" if free else PRICE,
        max_input_tokens=inputs,
        max_output_tokens=outputs,
    )
    for field_name, value in fields.items():
        setattr(made, field_name, value)
    return made


def plan(*attempts: plan_pb2.Attempt) -> plan_pb2.Plan:
    """A failover over attempts."""
    nodes = [plan_pb2.PlanNode(attempt=each) for each in attempts or (attempt(),)]
    root = nodes[0] if len(nodes) == 1 else plan_pb2.PlanNode(failover=plan_pb2.Failover(children=nodes))
    return plan_pb2.Plan(root=root, alias="big", decision_id="d1")


def worst(inputs: int = 1000, outputs: int = 100) -> int:
    """What an attempt on the priced model costs at most, in nanos."""
    return inputs * 3_000 + outputs * 15_000


def line(
    name: str = "a",
    *,
    inputs: int = 500,
    outputs: int = 50,
    outcome: usage_pb2.AttemptOutcome = usage_pb2.ATTEMPT_OUTCOME_COMPLETED,
) -> usage_pb2.UsageLine:
    """What the gateway reports of an attempt."""
    return usage_pb2.UsageLine(
        attempt_id=name,
        outcome=outcome,
        usage=generate_pb2.Usage(input_tokens=inputs, output_tokens=outputs),
        source=usage_pb2.USAGE_SOURCE_PROVIDER,
    )


class World:
    """One ledger over one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.identity = FakeIdentity()
        self.registry = FakeRegistry()
        self.seals = Seals(b"x" * 32)
        self.speeds = Speeds()
        self.ledger = SqlLedger(database, self.identity, currency="USD", speeds=self.speeds)
        self.limits = LedgerLimits(database, self.identity, Settings().quotas, currency="USD")
        self.reading = LedgerReading(database)
        self.reserving = Reserving(
            self.ledger, self.registry, self.seals, Sharing(self.identity.snapshot), currency="USD", grant_micros=600_000_000
        )
        self.lifecycle = Lifecycle(self.ledger, self.speeds)
        self.answer_store = self.answers_of(b"p" * 32)
        self.outcomes: list[KeepOutcome] = []
        self.answers = KeptAnswers(
            self.answer_store, self.identity.snapshot, self.seals, most_bytes=MOST_ANSWER_BYTES, counted=self.outcomes.append
        )

    async def ready(self) -> "World":
        await migrated(self.database, "llm_mesh_policy.store.migrations")
        return self

    def caller(self, **changes: str) -> admission_pb2.Caller:
        caller = admission_pb2.Caller(principal=PRINCIPAL, domain=DOMAIN, project=PROJECT, key=KEY)
        for name, value in changes.items():
            setattr(caller, name, value)
        caller.expire_time.FromMicroseconds(time.time_ns() // 1000 + 60_000_000)
        return caller

    def admission(
        self,
        *,
        seconds: float = 60,
        tags: Mapping[str, str] = {},
        operation: str = "generate",
        caller: Mapping[str, str] = {},
        **bounds: object,
    ) -> resources_pb2.Sealed:
        asking = self.caller(**caller)
        message = admission_pb2.Admission(id=f"adm-{next(_numbers)}", caller=asking, alias="big", operation=operation, tags=tags)
        message.constraints.CopyFrom(admission_pb2.Constraints(**({"max_output_tokens": 1000} | bounds)))  # type: ignore[arg-type]
        message.expire_time.FromMicroseconds(time.time_ns() // 1000 + round(seconds * 1_000_000))
        return self.seals.sealed(message.DESCRIPTOR.full_name, message.SerializeToString(), "policy", "router")

    def reserve_request(self, *attempts: plan_pb2.Attempt, wanted: str = "", **fields: object) -> policy_pb2.ReserveRequest:
        values: dict[str, object] = {
            "reservation_id": wanted or ulid(),
            "admission": self.admission(),
            "plan": plan(*attempts),
            "epoch": "e1",
        }
        return policy_pb2.ReserveRequest(**(values | fields))  # type: ignore[arg-type]

    async def reserve(self, *attempts: plan_pb2.Attempt, wanted: str = "", **fields: object) -> Granted:
        return await self.reserving.reserve(self.reserve_request(*attempts, wanted=wanted, **fields))

    def answers_of(self, secret: bytes) -> SqlKeptAnswers:
        """The store of kept answers, as it is with a secret."""
        cipher, day = AnswerCipher(secret), timedelta(hours=24)
        return SqlKeptAnswers(self.database, self.identity, cipher, kept_for=day, project_bytes=MOST_PROJECT_BYTES)

    async def keep(self, granted: Granted, content: bytes = b"the answer", key: str = "k") -> None:
        """Settle a request with its whole answer, as the gateway does."""
        answer = policy_pb2.KeptAnswer(type=ANSWER_TYPE, content=content)
        reservation = granted.held.reservation.id
        settled = await self.settle(granted, line())
        await self.answers.keep(policy_pb2.SettleRequest(reservation_id=reservation, answer=answer, idempotency_key=key), settled)

    async def repeated(self, digest: bytes, under: str = "k", **caller: str) -> Repeated:
        """Ask for the answer of an earlier request."""
        admission = self.admission(caller=caller)
        return await self.answers.of(
            policy_pb2.GetKeptAnswerRequest(admission=admission, idempotency_key=under, request_digest=digest, request_id="the-repetition")
        )

    async def settle(self, granted: Granted, *lines: usage_pb2.UsageLine) -> Settled:
        return await self.lifecycle.settle(granted.held.reservation.id, lines)

    async def budget(self, nanos: int, period: ledger_pb2.BudgetPeriod = ledger_pb2.BUDGET_PERIOD_TOTAL) -> None:
        amount = resources_pb2.Money(currency="USD", nanos=nanos)
        budget = ledger_pb2.Budget(name=f"{PROJECT}/budget", amount=amount, period=period)
        await self.limits.put_budget(budget, AuditEntry(domain=DOMAIN, action="budgets.put", resource=budget.name, allowed=True))

    async def standing(self) -> tuple[int, int]:
        """What is spent and held of the project's budget."""
        budget = await self.limits.budget(f"{PROJECT}/budget")
        assert budget is not None
        return budget.spent.nanos, budget.held.nanos


def ids(entries: Sequence[usage_pb2.LedgerEntry]) -> list[str]:
    return [entry.name.rpartition("/")[2] for entry in entries]
