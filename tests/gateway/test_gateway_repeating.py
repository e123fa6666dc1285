"""A target that failed in passing is asked again, where no other is left: how long after, how often, and who pays."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.adapter.v1 import errors_pb2 as adapter_errors
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.policy.v1 import errors_pb2 as policy_errors
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_gateway.domain.execution.repeating import RetryBounds, Spent, delay_before, passes
from llm_mesh_gateway.settings import Settings
from tests.gateway.conftest import KEY, Mesh, request, running, said
from tests.gateway.fakes import FakeAdapter, PolicyError, Script, attempt, failing, failover, failure, started, text

REASONS = [name.removeprefix("ERROR_REASON_") for name, number in adapter_errors.ErrorReason.items() if number]
PASSING = {
    "PROVIDER_RATE_LIMITED": {"sent": "true", "provider_status": "429"},
    "PROVIDER_ERROR": {"sent": "true", "provider_status": "503"},
    "PROVIDER_UNREACHABLE": {"sent": "false"},
    "PROVIDER_RESET": {"sent": "true"},
}
CHARGED = {"PROVIDER_RESET"}
SOON = Settings(heartbeat=timedelta(seconds=0.05), repetition_wait=timedelta(seconds=0.02))


@dataclass
class Recovering(FakeAdapter):
    """Plays the scripts of a model one after the other, then the usual one."""

    queued: dict[str, list[Script]] = field(default_factory=dict)

    def script(self, request: Any) -> Script:
        usual = super().script(request)
        waiting = self.queued.get(request.attempt.upstream_model)
        return waiting.pop(0) if waiting else usual

    def fail(self, *reasons: str, model: str = "model-1", **metadata: str) -> None:
        self.queued[model] = [failing(failure(reason, **{**PASSING.get(reason, {}), **metadata}), started()) for reason in reasons]


@pytest.fixture
async def mesh() -> AsyncIterator[Mesh]:
    made = Mesh(settings=SOON, adapter=Recovering())
    made.router.plan = plan_pb2.Plan(root=plan_pb2.PlanNode(attempt=attempt(1)), decision_id="d1")
    async with running(made):
        yield made


def recovering(mesh: Mesh) -> Recovering:
    assert isinstance(mesh.adapter, Recovering)
    return mesh.adapter


# The rule.

FAILURES = st.builds(
    lambda reason, after, quota: (reason, after, quota),
    st.sampled_from(REASONS),
    st.none() | st.floats(min_value=0, max_value=86_400),
    st.booleans(),
)


@given(
    told=FAILURES,
    repeated=st.integers(min_value=0, max_value=12),
    waited=st.floats(min_value=0, max_value=60),
    bounds=st.builds(RetryBounds, st.integers(min_value=0, max_value=10), st.floats(min_value=0, max_value=45)),
    remaining=st.none() | st.floats(min_value=0, max_value=600),
    chance=st.floats(min_value=0, max_value=1),
)
def test_a_wait_is_never_too_early_too_late_or_too_often(
    told: tuple[str, float | None, bool], repeated: int, waited: float, bounds: RetryBounds, remaining: float | None, chance: float
) -> None:
    reason, after, exhausted = told
    error = failure(reason, **({"quota": "exhausted"} if exhausted else {}))
    error.retry_after = after
    delay = delay_before(error, Spent(repeated, waited), bounds, remaining, chance)
    worth = reason in PASSING and not exhausted
    assert passes(error) == worth
    fits = waited + (after or 0.0) <= bounds.wait and (remaining is None or (after or 0.0) <= remaining - 0.1)
    near = abs(waited + (after or 0.0) - bounds.wait) < 1e-6
    if delay is None:
        assert not worth or repeated >= bounds.repetitions or not fits or near
        return
    assert worth
    assert repeated < bounds.repetitions
    assert (after or 0.0) <= delay <= (after or 0.0) + 8.0
    assert waited + delay <= bounds.wait + 1e-6
    assert remaining is None or delay < remaining


def test_the_jitter_is_full_and_its_step_doubles() -> None:
    error, bounds = failure("PROVIDER_ERROR"), RetryBounds(10, 45)
    steps = [delay_before(error, Spent(number), bounds, None, 1.0) for number in range(7)]
    assert steps == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert delay_before(error, Spent(), bounds, None, 0.0) == 0.0


# The gateway.


@pytest.mark.parametrize("way", ["whole", "streamed"])
@pytest.mark.parametrize("reason", PASSING)
async def test_a_plain_alias_recovers_and_each_attempt_has_a_line_of_its_own(mesh: Mesh, reason: str, way: str) -> None:
    recovering(mesh).fail(reason)
    if way == "streamed":
        messages, error = await mesh.streamed()
        assert error is None
        assert said(messages) == "hello world"
    else:
        assert (await mesh.generate()).receipt.model == "domains/shared/models/model-1"
    assert [each.attempt.id for each in mesh.adapter.asked] == ["a1", "a1-again-1"]
    assert [each.grant.payload for each in mesh.adapter.asked] == [b"grant", b"grant 1"]
    (extended,) = mesh.policy.extended
    (settled,) = mesh.policy.settled
    assert (extended.reservation_id, extended.attempt.id) == (settled.reservation_id, "a1-again-1")
    first, second = settled.lines
    assert [(line.attempt_id, line.outcome) for line in (first, second)] == [
        ("a1", usage_pb2.ATTEMPT_OUTCOME_NOT_SENT if reason == "PROVIDER_UNREACHABLE" else usage_pb2.ATTEMPT_OUTCOME_FAILED),
        ("a1-again-1", usage_pb2.ATTEMPT_OUTCOME_COMPLETED),
    ]
    assert first.HasField("usage") == (reason in CHARGED)


@pytest.mark.parametrize("reason", sorted(set(REASONS) - PASSING.keys()))
async def test_what_does_not_pass_is_not_repeated(mesh: Mesh, reason: str) -> None:
    recovering(mesh).fail(reason)
    _, error = await mesh.streamed()
    assert error is not None
    assert len(mesh.adapter.asked) == 1
    assert not mesh.policy.extended


@pytest.mark.parametrize("way", ["whole", "streamed"])
async def test_a_bad_answer_without_usage_has_none_in_the_ledger(mesh: Mesh, way: str) -> None:
    recovering(mesh).fail("PROVIDER_MALFORMED", sent="true")
    if way == "whole":
        with pytest.raises(grpc.aio.AioRpcError):
            await mesh.generate()
    else:
        await mesh.streamed()
    (line,) = mesh.policy.settled[0].lines
    assert line.outcome == usage_pb2.ATTEMPT_OUTCOME_FAILED
    assert not line.HasField("usage")


async def test_a_used_up_quota_is_not_repeated(mesh: Mesh) -> None:
    recovering(mesh).fail("PROVIDER_RATE_LIMITED", quota="exhausted")
    _, error = await mesh.streamed()
    assert error is not None
    assert len(mesh.adapter.asked) == 1


async def test_after_content_nothing_is_repeated(mesh: Mesh) -> None:
    recovering(mesh).queued["model-1"] = [failing(failure("PROVIDER_RESET", sent="true"), started(), text("one"))]
    messages, error = await mesh.streamed()
    assert said(messages) == "one"
    assert error is not None
    assert error.reason_name == "ANSWER_INTERRUPTED"
    assert len(mesh.adapter.asked) == 1


async def test_repetitions_end_and_what_remains_says_when_to_try_again_and_what_it_cost(mesh: Mesh) -> None:
    recovering(mesh).fail(*["PROVIDER_ERROR"] * 9)
    _, error = await mesh.streamed()
    assert error is not None
    assert (error.reason_name, error.http, error.retry_after) == ("PROVIDER_ERROR", 503, 1.0)
    assert error.metadata["provider_status"] == "503"
    assert error.metadata["charged_nanos"] == "1234", "what policy answered"
    assert [each.attempt.id for each in mesh.adapter.asked] == ["a1", "a1-again-1", "a1-again-2"]


async def test_where_nothing_was_sent_the_failure_says_that_nothing_is_charged(mesh: Mesh) -> None:
    recovering(mesh).fail(*["PROVIDER_UNREACHABLE"] * 9)
    _, error = await mesh.streamed()
    assert error is not None
    assert (error.metadata["charged_nanos"], error.retry_after) == ("0", 1.0)
    assert "charged_currency" not in error.metadata
    await mesh.policy.ended.wait()
    assert mesh.policy.released


async def test_while_policy_does_not_tell_the_charge_none_is_claimed(mesh: Mesh) -> None:
    recovering(mesh).fail("PROVIDER_MALFORMED", sent="true")
    mesh.policy.settle_fails = 1
    _, error = await mesh.streamed()
    assert error is not None
    assert "charged_nanos" not in error.metadata


async def test_a_wish_beyond_the_bound_is_passed_on_at_once(mesh: Mesh) -> None:
    limited = failure("PROVIDER_RATE_LIMITED", sent="true")
    limited.retry_after = 30.0
    recovering(mesh).queued["model-1"] = [failing(limited)]
    began = time.monotonic()
    _, error = await mesh.streamed()
    assert time.monotonic() - began < 5
    assert error is not None
    assert (error.reason_name, error.retry_after) == ("PROVIDER_RATE_LIMITED", 30.0)
    assert len(mesh.adapter.asked) == 1


async def test_policy_may_refuse_and_then_the_providers_failure_is_told(mesh: Mesh) -> None:
    recovering(mesh).fail("PROVIDER_RATE_LIMITED")
    mesh.policy.refuses_to_extend = PolicyError(policy_errors.ERROR_REASON_BUDGET_EXCEEDED, "spent")
    _, error = await mesh.streamed()
    assert error is not None
    assert error.reason_name == "PROVIDER_RATE_LIMITED"
    assert len(mesh.adapter.asked) == 1


async def test_repetitions_take_from_the_budget(mesh: Mesh) -> None:
    mesh.adapter.scripts["model-1"] = failing(failure("PROVIDER_ERROR", sent="true"))
    for _ in range(30):
        await mesh.streamed()
    repeated = len(mesh.adapter.asked) - 30
    assert 3 <= repeated <= 30, "not two for each request"


async def test_other_targets_come_first(mesh: Mesh) -> None:
    mesh.router.plan = failover(attempt(1), attempt(2))
    recovering(mesh).fail("PROVIDER_RATE_LIMITED")
    await mesh.generate()
    assert [each.attempt.id for each in mesh.adapter.asked] == ["a1", "a2"]
    mesh.adapter.asked.clear()
    recovering(mesh).fail("PROVIDER_RATE_LIMITED", model="model-1")
    recovering(mesh).queued["model-2"] = [failing(failure("PROVIDER_MALFORMED", sent="true"))]
    await mesh.generate()
    assert [each.attempt.id for each in mesh.adapter.asked] == ["a1", "a2", "a1-again-1"], "of the two only the first may recover"


async def test_of_targets_that_may_recover_the_one_that_is_free_soonest_is_asked() -> None:
    made = Mesh(settings=Settings(heartbeat=timedelta(seconds=0.05), repetition_wait=timedelta(seconds=1)), adapter=Recovering())
    limited = failure("PROVIDER_RATE_LIMITED", sent="true")
    limited.retry_after = 0.9
    recovering(made).queued = {"model-1": [failing(limited)], "model-2": [failing(failure("PROVIDER_ERROR", sent="true"))]}
    async with running(made):
        answer = await made.generate()
    assert answer.receipt.model == "domains/shared/models/model-2"
    assert [each.attempt.id for each in made.adapter.asked] == ["a1", "a2", "a2-again-1"]


async def test_rate_limits_of_all_targets_are_told_as_one() -> None:
    made = Mesh(settings=Settings(heartbeat=timedelta(seconds=0.05), repetitions=0), adapter=Recovering())
    async with running(made):
        for number in (1, 2):
            made.adapter.scripts[f"model-{number}"] = failing(failure("PROVIDER_RATE_LIMITED", sent="true"))
        _, error = await made.streamed()
        assert error is not None
        assert (error.reason_name, error.http, error.retry_after) == ("PROVIDER_RATE_LIMITED", 429, 1.0)


async def test_a_caller_who_leaves_while_it_waits_is_not_charged_for_the_next_attempt() -> None:
    made = Mesh(settings=Settings(heartbeat=timedelta(seconds=0.05)), adapter=Recovering())
    limited = failure("PROVIDER_RATE_LIMITED", sent="true")
    limited.retry_after = 5.0
    recovering(made).queued["model-1"] = [failing(limited)]
    made.router.plan = plan_pb2.Plan(root=plan_pb2.PlanNode(attempt=attempt(1)))
    async with running(made):
        call = made.stream()
        asking = asyncio.ensure_future(call.read())
        await made.policy.extending.wait()
        asking.cancel()
        call.cancel()
        await made.policy.ended.wait()
        assert [line.attempt_id for line in made.policy.settled[0].lines] == ["a1"]
        assert len(made.adapter.asked) == 1


async def test_a_wait_fits_into_the_callers_deadline() -> None:
    made = Mesh(settings=Settings(heartbeat=timedelta(seconds=0.05)), adapter=Recovering())
    limited = failure("PROVIDER_RATE_LIMITED", sent="true")
    limited.retry_after = 3.0
    recovering(made).queued["model-1"] = [failing(limited)]
    made.router.plan = plan_pb2.Plan(root=plan_pb2.PlanNode(attempt=attempt(1)))
    async with running(made):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await made.stub.Generate(request(gateway_pb2.GenerateRequest), metadata=KEY, timeout=2)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, "the failure itself, in time, and not the deadline"


@pytest.mark.parametrize("reason", ["UNKNOWN_ENDPOINT", "NO_CREDENTIAL", "ADDRESS_NOT_ALLOWED", "PROVIDER_UNAUTHENTICATED"])
async def test_an_operators_fault_is_not_the_callers(mesh: Mesh, reason: str) -> None:
    recovering(mesh).fail(reason, sent="false")
    _, error = await mesh.streamed()
    assert error is not None
    assert error.http >= 500
    assert error.metadata["charged_nanos"] == "0"
