"""Laws of the ledger, after any interleaving: what meters hold is what open entries hold, what they spent is what entries charge."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from sqlalchemy import Connection, select

from llm_mesh.policy.v1 import ledger_pb2, policy_pb2, usage_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.meters import DAY, MONTHLY, Meter, window_end, window_of
from llm_mesh_policy.ledger.domain.reservation import ESTIMATED, HELD, RELEASED, SETTLED, Reservation
from llm_mesh_policy.ledger.store import entry_rows, meter_rows
from llm_mesh_policy.ledger.store.tables import entries, meters
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import DOMAIN, PROJECT, World, attempt, line, ulid, worst

T = TypeVar("T")
BUDGET = f"{PROJECT}/budget"
CONCURRENCY = f"{DOMAIN}/limits/concurrency"
OUTPUT = f"{DOMAIN}/limits/output"
AMOUNT = 5 * worst()

outcomes = st.sampled_from(
    [
        usage_pb2.ATTEMPT_OUTCOME_COMPLETED,
        usage_pb2.ATTEMPT_OUTCOME_FAILED,
        usage_pb2.ATTEMPT_OUTCOME_CANCELLED,
        usage_pb2.ATTEMPT_OUTCOME_NOT_SENT,
    ]
)


def _read(connection: Connection) -> tuple[dict[str, Meter], list[Reservation]]:
    found = [Meter(*row) for row in connection.execute(select(*meter_rows.columns()))]
    rows = connection.execute(select(*entry_rows.columns()).where(entries.c.domain != ""))
    return {meter.name: meter for meter in found}, [entry_rows.reservation_of(row) for row in rows]


class Ledger(RuleBasedStateMachine):
    """Random lives of a ledger."""

    reservations = Bundle("reservations")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = World(Database("sqlite://", name="policy"))
        self.epoch = 1
        self.overrun = 0
        self.run(self._begin())

    async def _begin(self) -> None:
        await self.world.ready()
        await self.world.budget(AMOUNT)
        audit = AuditEntry(domain=DOMAIN, action="limits.put", resource="x", allowed=True)
        concurrency = ledger_pb2.Limit(name=CONCURRENCY, subject=PROJECT, metric=ledger_pb2.LIMIT_METRIC_CONCURRENCY, amount=3)
        output = ledger_pb2.Limit(name=OUTPUT, subject=f"{PROJECT}/keys/k1", metric=ledger_pb2.LIMIT_METRIC_OUTPUT_TOKENS, amount=10**6)
        output.window.FromSeconds(31 * 86_400)
        for limit in (concurrency, output):
            await self.world.limits.put_limit(limit, audit)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def attempt(self, work: Coroutine[Any, Any, T], *allowed: str) -> T | None:
        try:
            return self.run(work)
        except MeshError as error:
            if error.reason_name not in allowed:
                raise
            return None

    @rule(target=reservations, attempts=st.integers(1, 2), outputs=st.integers(1, 100))
    def reserve(self, attempts: int, outputs: int) -> Any:
        request = self.world.reserve_request(*(attempt(f"a{n}", outputs=outputs) for n in range(attempts)), epoch=f"e{self.epoch}")
        granted = self.attempt(self.world.reserving.reserve(request), "BUDGET_EXCEEDED", "LIMIT_EXCEEDED", "BUDGET_CLOSED")
        return multiple() if granted is None else request

    @rule(request=reservations)
    def reserve_again(self, request: policy_pb2.ReserveRequest) -> None:
        self.attempt(self.world.reserving.reserve(request), "RESERVATION_RELEASED", "RESERVATION_SETTLED", "ALREADY_EXISTS")

    @rule(request=reservations)
    def extend(self, request: policy_pb2.ReserveRequest) -> None:
        more = policy_pb2.ExtendRequest(
            reservation_id=request.reservation_id, admission=request.admission, attempt=attempt("x", outputs=10)
        )
        self.attempt(
            self.world.reserving.extend(more),
            "RESERVATION_RELEASED",
            "RESERVATION_SETTLED",
            "BUDGET_EXCEEDED",
            "LIMIT_EXCEEDED",
            "BUDGET_CLOSED",
        )

    @rule(request=reservations, outcome=outcomes, outputs=st.integers(0, 150), silent=st.booleans())
    def settle(self, request: policy_pb2.ReserveRequest, outcome: usage_pb2.AttemptOutcome, outputs: int, *, silent: bool) -> None:
        report = usage_pb2.UsageLine(attempt_id="a0", outcome=outcome) if silent else line("a0", outputs=outputs, outcome=outcome)
        self.attempt(self.world.lifecycle.settle(request.reservation_id, [report]), "RESERVATION_RELEASED")

    @rule(request=reservations)
    def release(self, request: policy_pb2.ReserveRequest) -> None:
        self.attempt(self.world.lifecycle.release(request.reservation_id), "RESERVATION_SETTLED")

    @rule()
    def release_what_was_never_made(self) -> None:
        self.run(self.world.lifecycle.release(ulid()))

    @rule()
    def lose_the_gateway(self) -> None:
        gone, self.epoch = self.epoch, self.epoch + 1
        self.run(self.world.lifecycle.heartbeat(policy_pb2.HeartbeatRequest(epoch=f"e{self.epoch}", replaces_epoch=f"e{gone}")))

    @rule(period=st.sampled_from([ledger_pb2.BUDGET_PERIOD_TOTAL, ledger_pb2.BUDGET_PERIOD_DAILY, ledger_pb2.BUDGET_PERIOD_MONTHLY]))
    def put_the_budget_anew(self, period: ledger_pb2.BudgetPeriod) -> None:
        self.run(self.world.budget(AMOUNT, period))

    @invariant()
    def balances(self) -> None:
        found, made = self.run(self.world.database.read(_read))
        open_ones = [each for each in made if each.entry.state == HELD]
        charged = [each for each in made if each.entry.state in {SETTLED, ESTIMATED}]
        budget = found[BUDGET]
        assert budget.held == sum(each.entry.reserved.nanos for each in open_ones)
        assert budget.spent == sum(each.entry.charged.nanos for each in charged)
        assert found[CONCURRENCY].held == len(open_ones) <= 3
        assert found[CONCURRENCY].spent == 0
        assert found[OUTPUT].held == sum(each.all_output_tokens for one in open_ones for each in one.lines)
        assert found[OUTPUT].spent == sum(each.usage.usage.output_tokens for one in charged for each in one.entry.lines)
        beyond = sum(max(0, each.entry.charged.nanos - each.entry.reserved.nanos) for each in charged)
        assert budget.spent + budget.held <= AMOUNT + beyond, "only what a provider bills beyond the reservation is overspent"

    @invariant()
    def entries_agree_with_themselves(self) -> None:
        _, made = self.run(self.world.database.read(_read))
        for each in made:
            entry = each.entry
            assert entry.charged.nanos == sum(charge.charge.nanos for charge in entry.lines)
            assert entry.overrun or entry.charged.nanos <= entry.reserved.nanos
            if entry.state == RELEASED:
                assert entry.charged.nanos == 0

    def teardown(self) -> None:
        self.run(self.world.database.close())
        self.runner.close()


TestLedger = pytest.mark.filterwarnings("default::ResourceWarning")(Ledger.TestCase)
TestLedger.settings = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


def test_windows_are_aligned_and_follow_each_other() -> None:
    moment = 1_795_184_952_482_227
    for period in (DAY, MONTHLY, 60_000_000):
        start = window_of(period, moment)
        end = window_end(period, start)
        assert end is not None
        assert start <= moment < end
        assert window_of(period, end) == end
        assert window_of(period, end - 1) == start


def test_a_clock_that_goes_back_reopens_no_window() -> None:
    meter = Meter("m", "s", "requests", 1, DAY, 1, window_of(DAY, 10 * DAY), 1, 0)
    assert meter.at(9 * DAY) is meter
    assert meter.at(11 * DAY) == replace(meter, window=11 * DAY, spent=0)
    assert meters.name == "ledger_meters"
