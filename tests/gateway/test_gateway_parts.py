"""Small parts by themselves: the retry budget, what is counted of a broken answer, ids, epochs."""

import re
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import errors_pb2 as policy_errors
from llm_mesh.router.v1 import plan_pb2, router_pb2
from llm_mesh_gateway.domain.execution.retry_budget import RetryBudget
from llm_mesh_gateway.domain.outcomes import Outcomes
from llm_mesh_gateway.domain.ports import Piece
from llm_mesh_gateway.domain.record import AttemptRecord
from llm_mesh_gateway.domain.reservation_id import ReservationIds
from llm_mesh_gateway.domain.tally import Tally
from llm_mesh_gateway.store import FileEpochs
from llm_mesh_runtime.telemetry.metrics import Metrics
from tests.gateway.fakes import PolicyError, StreamEvent, failure, text


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_three_retries_a_second_are_always_there() -> None:
    clock = Clock()
    budget = RetryBudget(clock=clock)
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 1.0
    assert [budget.take() for _ in range(4)] == [True, True, True, False]


def test_one_of_several_gateways_saves_up_its_share_and_no_more_than_one_retry() -> None:
    clock = Clock()
    budget = RetryBudget(floor=0.75, clock=clock)
    assert not budget.take()
    clock.now += 0.4
    assert [budget.take() for _ in range(2)] == [True, False]
    clock.now += 1.3
    assert not budget.take()
    clock.now += 60.0
    assert [budget.take() for _ in range(2)] == [True, False]


def test_every_tenth_request_earns_one_more() -> None:
    budget = RetryBudget(floor=0.0, clock=Clock())
    assert not budget.take()
    for _ in range(21):
        budget.request()
    assert [budget.take() for _ in range(3)] == [True, True, False]


@given(st.lists(st.text(min_size=1, max_size=40), max_size=20))
def test_a_broken_answer_counts_at_least_a_token_per_event_and_four_bytes(words: list[str]) -> None:
    tally = Tally()
    for each in words:
        tally.note(Piece(events=[text(each)]))
    usage, provider = tally.usage(9)
    assert usage.output_tokens == max(len(words), -(-len("".join(words).encode()) // 4))
    assert usage.input_tokens == 9
    assert not provider


def test_the_providers_own_figures_win() -> None:
    tally = Tally()
    tally.note(Piece(events=[text("hello"), StreamEvent(usage=generate_pb2.Usage(input_tokens=3, output_tokens=50))]))
    usage, provider = tally.usage(9)
    assert (usage.input_tokens, usage.output_tokens, provider) == (3, 50, True)


def test_input_that_the_provider_told_at_the_start_is_kept() -> None:
    tally = Tally()
    told = generate_pb2.Started(usage=generate_pb2.Usage(input_tokens=3, cached_input_tokens=2))
    tally.note(Piece(events=[StreamEvent(started=told), text("hello world!")]))
    usage, provider = tally.usage(9)
    assert (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens, provider) == (3, 2, 3, False)


def test_empty_deltas_commit_nothing() -> None:
    assert not Tally().note(Piece(events=[text("")]))
    assert Tally().note(Piece(events=[text("x")]))


class Told:
    """A router that remembers batches."""

    def __init__(self) -> None:
        self.batches: list[router_pb2.ReportOutcomesRequest] = []

    async def report(self, request: router_pb2.ReportOutcomesRequest) -> None:
        self.batches.append(request)

    async def plan(self, request: router_pb2.PlanRequest) -> router_pb2.PlanResponse:
        raise NotImplementedError

    async def aliases(self, request: router_pb2.ListAliasesRequest) -> router_pb2.ListAliasesResponse:
        raise NotImplementedError


async def test_of_results_that_wait_the_oldest_are_lost_first_and_each_is_told_once() -> None:
    router = Told()
    metrics = Metrics()
    attempts, faults = metrics.counter("attempts", "Attempts.", ("adapter", "reason")), metrics.counter("faults", "Faults.", ("reason",))
    outcomes = Outcomes(router, attempts, faults)
    record = AttemptRecord(plan_pb2.Attempt(id="a1", adapter="fake", model="m"))
    for number in range(1_005):
        outcomes.note(record, str(number), "domains/claims")
    await outcomes.flush()
    await outcomes.flush()
    (batch,) = router.batches
    assert [each.decision_id for each in batch.results] == [str(number) for number in range(5, 1_005)]


async def test_an_operators_fault_is_counted() -> None:
    metrics = Metrics()
    attempts, faults = metrics.counter("attempts", "Attempts.", ("adapter", "reason")), metrics.counter("faults", "Faults.", ("reason",))
    outcomes = Outcomes(Told(), attempts, faults)
    record = AttemptRecord(plan_pb2.Attempt(id="a1", adapter="fake"))
    record.failed(failure("NO_CREDENTIAL"), committed=False)
    outcomes.note(record, "d1", "domains/claims")
    outcomes.refused(PolicyError(policy_errors.ERROR_REASON_PRICE_UNKNOWN, "no price"))
    outcomes.refused(PolicyError(policy_errors.ERROR_REASON_BUDGET_EXCEEDED, "spent"))
    counted = [line for line in metrics.render().decode().splitlines() if line.startswith("faults_total") and not line.endswith(" 0.0")]
    assert sorted(counted) == ['faults_total{reason="NO_CREDENTIAL"} 1.0', 'faults_total{reason="PRICE_UNKNOWN"} 1.0']


def test_reservation_ids_are_ulids_in_the_order_of_time() -> None:
    made = ReservationIds()
    ids = [made.next() for _ in range(2500)]
    assert all(re.fullmatch(r"[0-7][0-9a-hjkmnp-tv-z]{25}", each) for each in ids)
    assert len(set(ids)) == 2500
    assert sorted(each[:10] for each in ids) == [each[:10] for each in ids]


def test_a_reservation_id_tells_the_millisecond_in_which_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = ReservationIds().next()
    after = time.time_ns() // 1_000_000
    told = 0
    for digit in made[:10]:
        told = told * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(digit)
    assert before <= told <= after


def test_epochs_are_struck_out_only_once_they_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "gateway.epochs"
    assert FileEpochs(path).begun("a") == []
    assert FileEpochs(path).begun("b") == ["a"]
    assert FileEpochs(path).begun("c") == ["a", "b"]
    FileEpochs(path).replaced("c")
    assert FileEpochs(path).begun("d") == ["c"]


def test_epochs_of_others_that_have_ended_are_taken_over_and_none_is_lost_on_the_way(tmp_path: Path) -> None:
    own, other = tmp_path / "gateway.epochs", tmp_path / "gateway-worker-1.epochs"
    FileEpochs(other).begun("w1")
    FileEpochs(own).begun("a")
    assert FileEpochs(own, left=[other, tmp_path / "gateway-worker-2.epochs"]).begun("b") == ["w1", "a"]
    assert not other.exists()
    assert FileEpochs(own).begun("c") == ["w1", "a", "b"]
