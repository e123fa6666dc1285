"""An unfinished attempt costs what it probably used: repeated cancelling is never cheaper than asking."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain import settlement
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.rates import Rates
from llm_mesh_policy.ledger.domain.speeds import Speeds
from llm_mesh_policy.ledger.domain.unfinished import produced
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import DOMAIN, MODEL, PROJECT, World, attempt, line, worst

ESTIMATED, COUNTED, PROVIDER = usage_pb2.USAGE_SOURCE_ESTIMATED, usage_pb2.USAGE_SOURCE_COUNTED, usage_pb2.USAGE_SOURCE_PROVIDER
CANCELLED = usage_pb2.ATTEMPT_OUTCOME_CANCELLED
UNFINISHED = (CANCELLED, usage_pb2.ATTEMPT_OUTCOME_INTERRUPTED, usage_pb2.ATTEMPT_OUTCOME_FAILED, usage_pb2.ATTEMPT_OUTCOME_LOST)
PRICES = st.integers(0, 10**18)
rates = st.builds(Rates, *[PRICES] * 8)


@pytest.fixture
async def world(database: Database) -> World:
    world = await World(database).ready()
    await world.budget(10**9)
    return world


def quoted(rates: Rates, inputs: int, outputs: int, candidates: int, *, reasons: bool, speaks: bool, strict: bool = False) -> QuoteLine:
    reserved = rates.worst(inputs, outputs * candidates)
    return QuoteLine(
        "a", "x", "y", "z", "", "", MODEL, "p", PROJECT, inputs, outputs, candidates, reserved, rates, strict, reasons, speaks
    )  # fmt: skip


lines = st.builds(
    quoted, rates, st.integers(1, 10**6), st.integers(1, 10**5), st.integers(1, 8), reasons=st.booleans(), speaks=st.booleans()
)


def cancelled(
    inputs: int, counted: int = 0, *, seconds: float = 0, streamed: bool = False, outcome: usage_pb2.AttemptOutcome = CANCELLED
) -> usage_pb2.UsageLine:
    return usage_pb2.UsageLine(
        attempt_id="a",
        outcome=outcome,
        usage=generate_pb2.Usage(input_tokens=inputs, output_tokens=counted),
        source=COUNTED,
        duration_us=round(seconds * 1_000_000),
        streamed=streamed,
    )


def charge(line: QuoteLine, report: usage_pb2.UsageLine, speed: float) -> settlement.Charge:
    (made,) = settlement.charges([line], [report], lambda _: speed)
    return made


@given(line=lines, micros=st.integers(0, 10**9), speed=st.floats(1, 1000), share=st.floats(0, 1), streamed=st.booleans())
def test_a_cancelled_attempt_costs_at_least_what_it_had_produced_at_the_measured_speed(
    line: QuoteLine, *, micros: int, speed: float, share: float, streamed: bool
) -> None:
    """What it produced may be text, reasoning or sound, in whatever proportion; a stream shows all but the last two."""
    tokens = min(produced(line, micros, speed), line.all_output_tokens)
    thought = round(tokens * share) if line.reasons else 0
    spoken = round((tokens - thought) * share) if line.speaks else 0
    seen = tokens - thought - spoken if streamed else 0
    made = charge(line, cancelled(line.input_tokens, seen, seconds=micros / 1e6, streamed=streamed), speed)
    truth = generate_pb2.Usage(
        input_tokens=line.input_tokens, output_tokens=tokens, reasoning_output_tokens=thought, audio_output_tokens=spoken
    )
    assert made.nanos >= min(line.rates.charge(truth), line.reserved)


@given(line=lines, outcome=st.sampled_from(UNFINISHED), micros=st.integers(0, 10**9), counted=st.integers(0, 10**6), streamed=st.booleans())
def test_an_estimate_lies_between_the_input_and_the_reservation(
    line: QuoteLine, *, outcome: usage_pb2.AttemptOutcome, micros: int, counted: int, streamed: bool
) -> None:
    made = charge(line, cancelled(line.input_tokens, counted, seconds=micros / 1e6, streamed=streamed, outcome=outcome), 100.0)
    only_input = line.rates.charge(generate_pb2.Usage(input_tokens=line.input_tokens))
    assert min(only_input, line.reserved) <= made.nanos <= line.reserved
    assert made.report.source == ESTIMATED or made.implausible
    assert made.report.usage.output_tokens <= line.all_output_tokens


@given(
    line=lines,
    moments=st.lists(st.integers(0, 10**8), min_size=1, max_size=20),
    speed=st.floats(1, 1000),
)
def test_any_sequence_of_cancels_costs_at_least_as_much_as_asking_once_for_all_their_tokens(
    line: QuoteLine, moments: list[int], speed: float
) -> None:
    """For answers that come whole, and text alone: the case in which somebody gained by cancelling."""
    line = replace(line, reasons=False, speaks=False)
    paid = sum(charge(line, cancelled(line.input_tokens, seconds=micros / 1e6), speed).nanos for micros in moments)
    tokens = sum(min(int(micros * speed / 1e6), line.output_tokens) * line.candidates for micros in moments)
    asking = line.rates.charge(generate_pb2.Usage(input_tokens=line.input_tokens, output_tokens=tokens))
    assert paid >= min(asking, len(moments) * line.reserved)


def test_cancelling_at_85_percent_costs_85_percent_of_the_output() -> None:
    line = quoted(Rates(1, 10**6, 1, 1, 10**6, 1, 10**6, 0), 10, 1000, 1, reasons=False, speaks=False)
    made = charge(line, cancelled(10, seconds=8.5), 100.0)
    assert made.nanos == 850 + 1
    assert (made.report.usage.output_tokens, made.report.source) == (850, ESTIMATED)
    assert made.reported is not None
    assert made.reported.output_tokens == 0, "what was reported stays visible"


def test_of_a_stream_only_what_it_hides_is_estimated_by_time() -> None:
    prices = Rates(0, 10**6, 0, 0, 2 * 10**6, 0, 10**6, 0)
    plain = quoted(prices, 10, 1000, 1, reasons=False, speaks=False)
    assert charge(plain, cancelled(10, 7, seconds=5, streamed=True), 100.0).nanos == 7
    thinking = charge(replace(plain, reasons=True), cancelled(10, 7, seconds=5, streamed=True), 100.0)
    assert (thinking.report.usage.output_tokens, thinking.report.usage.reasoning_output_tokens) == (500, 493)
    assert thinking.nanos == 7 + 2 * 493


def test_the_choices_of_an_answer_are_produced_at_once() -> None:
    line = quoted(Rates(0, 10**6, 0, 0, 10**6, 0, 10**6, 0), 10, 1000, 4, reasons=False, speaks=False)
    assert charge(line, cancelled(10, seconds=1), 100.0).nanos == 400


def test_the_providers_own_word_is_never_estimated() -> None:
    line = quoted(Rates(0, 10**6, 0, 0, 10**6, 0, 10**6, 0), 10, 1000, 1, reasons=True, speaks=True)
    report = cancelled(10, 7, seconds=9)
    report.source = PROVIDER
    made = charge(line, report, 100.0)
    assert (made.nanos, made.report.source, made.reported) == (7, PROVIDER, None)


def test_a_whole_answer_that_the_mesh_counted_is_told_apart_from_an_estimate() -> None:
    line = quoted(Rates(0, 10**6, 0, 0, 10**6, 0, 10**6, 0), 10, 1000, 1, reasons=False, speaks=False)
    whole = cancelled(10, 7, seconds=9, outcome=usage_pb2.ATTEMPT_OUTCOME_COMPLETED)
    assert charge(line, whole, 100.0).report.source == COUNTED
    hidden = charge(replace(line, reasons=True), whole, 100.0)
    assert (hidden.report.source, hidden.report.usage.output_tokens) == (ESTIMATED, 900)


def test_a_strict_project_is_charged_the_reservation_unless_the_provider_told() -> None:
    line = quoted(Rates(10**6, 10**6, 0, 0, 0, 0, 0, 0), 10, 1000, 1, reasons=False, speaks=False, strict=True)
    assert charge(line, cancelled(10, 7, streamed=True), 100.0).nanos == line.reserved
    told = cancelled(10, 7, streamed=True)
    told.source = PROVIDER
    assert charge(line, told, 100.0).nanos == 17


async def test_a_cancelled_line_is_estimated_by_the_speed_of_finished_ones(world: World) -> None:
    finished = await world.reserve(attempt(outputs=100))
    done = line(inputs=500, outputs=50)
    done.duration_us = 5_000_000
    await world.settle(finished, done)
    granted = await world.reserve(attempt(outputs=100))
    settled = await world.settle(granted, cancelled(500, seconds=4))
    assert settled.entry.lines[0].usage.usage.output_tokens == 40, "ten tokens per second"
    assert settled.entry.charged.nanos == worst(500, 40)
    assert await world.standing() == (worst(500, 50) + worst(500, 40), 0)


@pytest.mark.parametrize("way", ["settle", "reconcile"])
async def test_the_truth_replaces_an_estimate_by_a_linked_adjustment_and_only_once(world: World, way: str) -> None:
    granted = await world.reserve()
    estimated = (await world.settle(granted, cancelled(500, 10, streamed=True))).entry
    assert estimated.lines[0].usage.source == ESTIMATED
    truth = line(inputs=600, outputs=90, outcome=CANCELLED)
    if way == "settle":
        entry = (await world.settle(granted, truth)).entry
    else:
        audit = AuditEntry(domain=DOMAIN, action="reservations.reconcile", resource="x", allowed=True)
        entry = await world.ledger.reconcile(PROJECT, granted.held.reservation.id, [truth], audit)
    assert entry.charged.nanos == worst(600, 90)
    assert entry.adjustments[0].amount.nanos == worst(600, 90) - worst(500, 10)
    assert entry.adjustments[0].reason == ("late_settlement" if way == "settle" else "reconciliation")
    assert await world.standing() == (worst(600, 90), 0)
    again = await world.settle(granted, line(inputs=1, outputs=1))
    assert again.repeated, "the truth is not replaced any more"
    assert await world.standing() == (worst(600, 90), 0)


async def test_another_estimate_replaces_nothing(world: World) -> None:
    granted = await world.reserve()
    first = await world.settle(granted, cancelled(500, 10, streamed=True))
    second = await world.settle(granted, cancelled(1, 1, streamed=True))
    assert second.repeated
    assert second.entry == first.entry


async def test_a_budget_that_was_made_after_the_estimate_follows_its_correction(database: Database) -> None:
    world = await World(database).ready()
    granted = await world.reserve()
    await world.settle(granted, cancelled(500, 10, streamed=True))
    await world.budget(10**9)
    assert await world.standing() == (worst(500, 10), 0)
    await world.settle(granted, line(inputs=600, outputs=90, outcome=CANCELLED))
    assert await world.standing() == (worst(600, 90), 0)


async def test_a_reconciliation_beyond_what_the_attempt_can_have_used_is_refused(world: World) -> None:
    granted = await world.reserve()
    await world.settle(granted, cancelled(500, 10, streamed=True))
    audit = AuditEntry(domain=DOMAIN, action="reservations.reconcile", resource="x", allowed=True)
    with pytest.raises(MeshError) as refused:
        await world.ledger.reconcile(PROJECT, granted.held.reservation.id, [line(outputs=10**12)], audit)
    assert refused.value.field == "lines[0].usage.output_tokens"
    assert await world.standing() == (worst(500, 10), 0)


def measured(tokens: int, seconds: float, *, streamed: bool = False) -> usage_pb2.ChargeLine:
    report = line(outputs=tokens)
    report.duration_us, report.streamed = round(seconds * 1e6), streamed
    return usage_pb2.ChargeLine(usage=report, model=MODEL)


def test_a_slow_reader_does_not_make_cancelling_cheap() -> None:
    speeds = Speeds(100)
    speeds.learn([measured(100, 1)])
    speeds.learn([measured(100, 100, streamed=True)] * 50)
    assert speeds.of(MODEL) == 100
    speeds.learn([measured(300, 1, streamed=True)])
    assert speeds.of(MODEL) == 200


def test_a_speed_rises_quickly_and_falls_slowly_and_short_answers_do_not_count() -> None:
    speeds = Speeds(100)
    assert speeds.of(MODEL) == 100
    speeds.learn([measured(50, 1)])
    assert speeds.of(MODEL) == 50
    speeds.learn([measured(150, 1)])
    assert speeds.of(MODEL) == 100
    speeds.learn([measured(20, 1)])
    assert speeds.of(MODEL) == 96
    speeds.learn([measured(1, 10)] * 100)
    assert speeds.of(MODEL) == 96


def test_the_memory_of_speeds_is_bounded() -> None:
    speeds = Speeds(100)
    for number in range(5000):
        made = measured(20, 1)
        made.model = f"m{number}"
        speeds.learn([made])
    assert sum(speeds.of(f"m{number}") == 20 for number in range(5000)) == 4096
