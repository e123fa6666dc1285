"""Failures before and after the commit point, of every kind that an adapter can have."""

import pytest

from llm_mesh.adapter.v1 import errors_pb2 as adapter_errors
from llm_mesh.policy.v1 import errors_pb2 as policy_errors
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_gateway.domain.failures import Verdict, meaning_of
from llm_mesh_runtime.errors import PeerError
from tests.gateway.conftest import Mesh, said
from tests.gateway.fakes import PolicyError, Script, attempt, choice_finished, failing, failover, failure, started, text

REASONS = [name.removeprefix("ERROR_REASON_") for name, number in adapter_errors.ErrorReason.items() if number]
MOVING_ON = [reason for reason in REASONS if meaning_of(failure(reason)).verdict is not Verdict.STOP]
STOPPING = [reason for reason in REASONS if meaning_of(failure(reason)).verdict is Verdict.STOP]


def two_dialects() -> plan_pb2.Plan:
    return failover(attempt(1, dialect="openai"), attempt(2, dialect="anthropic"))


@pytest.mark.parametrize("reason", MOVING_ON)
async def test_before_content_a_failure_moves_on_and_is_never_seen(mesh: Mesh, reason: str) -> None:
    mesh.router.plan = two_dialects()
    mesh.adapter.scripts["model-1"] = failing(failure(reason), started())
    messages, error = await mesh.streamed()
    assert error is None
    assert said(messages) == "hello world"
    assert sum(event.HasField("started") for message in messages for event in message.events) == 1
    answer = await mesh.generate()
    assert answer.receipt.model == "domains/shared/models/model-2"


@pytest.mark.parametrize("reason", STOPPING)
async def test_some_failures_are_answers_and_end_the_plan(mesh: Mesh, reason: str) -> None:
    mesh.router.plan = two_dialects()
    mesh.adapter.scripts["model-1"] = failing(failure(reason))
    messages, error = await mesh.streamed()
    assert not messages
    assert error is not None
    assert error.reason_name == reason
    assert len(mesh.adapter.asked) == 1


@pytest.mark.parametrize("reason", REASONS)
async def test_after_content_a_failure_ends_the_stream_and_nothing_is_repeated(mesh: Mesh, reason: str) -> None:
    mesh.adapter.scripts["model-1"] = failing(failure(reason), started(), text("one "), text("two"))
    messages, error = await mesh.streamed()
    assert said(messages) == "one two"
    assert error is not None
    assert (error.reason_name, error.domain) == ("ANSWER_INTERRUPTED", "gateway.llm-mesh")
    assert (error.metadata["attempt"], error.metadata["cause"]) == ("a1", reason)
    assert (error.metadata["charged_nanos"], error.metadata["charged_currency"]) == ("1234", "USD")
    assert error.metadata["reservation"].endswith(f"/reservations/{mesh.policy.reserved[0].reservation_id}")
    (line,) = mesh.policy.settled[0].lines
    assert line.outcome == usage_pb2.ATTEMPT_OUTCOME_INTERRUPTED
    assert line.usage.output_tokens >= 2
    assert line.source == usage_pb2.USAGE_SOURCE_COUNTED


async def test_a_hundred_of_a_hundred_fail_over(mesh: Mesh) -> None:
    mesh.adapter.scripts["model-1"] = failing(failure("PROVIDER_RESET", sent="true"), started())
    for _ in range(100):
        messages, error = await mesh.streamed()
        assert error is None
        assert said(messages) == "hello world"
    assert len(mesh.policy.settled) == 100


async def test_each_begun_attempt_has_a_line(mesh: Mesh) -> None:
    mesh.adapter.scripts["model-1"] = failing(failure("PROVIDER_RESET", sent="true", input_tokens="5", output_tokens="0"))
    await mesh.generate()
    first, second = mesh.policy.settled[0].lines
    assert (first.attempt_id, first.outcome, first.error_reason) == ("a1", usage_pb2.ATTEMPT_OUTCOME_FAILED, "PROVIDER_RESET")
    assert (first.usage.input_tokens, first.source) == (5, usage_pb2.USAGE_SOURCE_COUNTED)
    assert (second.attempt_id, second.outcome) == ("a2", usage_pb2.ATTEMPT_OUTCOME_COMPLETED)


async def test_a_refused_connection_costs_nothing(mesh: Mesh) -> None:
    mesh.adapter.scripts["model-1"] = failing(failure("PROVIDER_UNREACHABLE", sent="false"))
    await mesh.generate()
    first = mesh.policy.settled[0].lines[0]
    assert first.outcome == usage_pb2.ATTEMPT_OUTCOME_NOT_SENT
    assert not first.HasField("usage")
    assert not first.HasField("start_time")


async def test_where_nothing_was_sent_everything_is_given_back(mesh: Mesh) -> None:
    mesh.adapter.scripts = {f"model-{number}": failing(failure("BREAKER_OPEN")) for number in (1, 2)}
    _, error = await mesh.streamed()
    assert error is not None
    assert (error.reason_name, error.domain) == ("ALL_ATTEMPTS_FAILED", "gateway.llm-mesh")
    assert error.metadata == {"attempts": "2", "a1": "BREAKER_OPEN", "a2": "BREAKER_OPEN", "charged_nanos": "0"}
    await mesh.policy.ended.wait()
    assert [each.reservation_id for each in mesh.policy.released] == [mesh.policy.reserved[0].reservation_id]
    assert not mesh.policy.settled


async def test_a_plan_of_one_attempt_tells_the_adapters_own_reason(mesh: Mesh) -> None:
    mesh.router.plan = plan_pb2.Plan(root=plan_pb2.PlanNode(attempt=attempt(1)))
    mesh.adapter.scripts["model-1"] = failing(failure("PROVIDER_RATE_LIMITED", sent="true", provider_status="429"))
    _, error = await mesh.streamed()
    assert error is not None
    assert (error.reason_name, error.domain) == ("PROVIDER_RATE_LIMITED", "adapter.llm-mesh")
    assert error.metadata["provider_status"] == "429"


async def test_what_one_dialect_rejects_is_not_sent_in_the_same_dialect_again(mesh: Mesh) -> None:
    mesh.router.plan = failover(attempt(1), attempt(2), attempt(3, dialect="anthropic"))
    mesh.adapter.scripts["model-1"] = failing(failure("PROVIDER_REJECTED"))
    answer = await mesh.generate()
    assert answer.receipt.model == "domains/shared/models/model-3"
    assert [each.attempt.id for each in mesh.adapter.asked] == ["a1", "a3"]


async def test_where_all_say_the_same_of_the_request_the_reason_itself_is_told(mesh: Mesh) -> None:
    mesh.adapter.scripts = {f"model-{number}": failing(failure("CONTEXT_EXCEEDED")) for number in (1, 2)}
    _, error = await mesh.streamed()
    assert error is not None
    assert error.reason_name == "CONTEXT_EXCEEDED"


async def test_an_adapter_that_ends_without_its_last_message_has_failed(mesh: Mesh) -> None:
    mesh.adapter.scripts["model-1"] = Script((started(),), ends=False)
    messages, error = await mesh.streamed()
    assert error is None
    assert said(messages) == "hello world"
    mesh.adapter.scripts["model-1"] = Script((started(), text("x")), ends=False)
    messages, error = await mesh.streamed()
    assert said(messages) == "x"
    assert error is not None
    assert error.metadata["cause"] == "PROVIDER_MALFORMED"


async def test_an_answer_without_content_is_whole_too(mesh: Mesh) -> None:
    mesh.adapter.scripts["model-1"] = Script((started(), choice_finished()))
    messages, error = await mesh.streamed()
    assert error is None
    kinds = [event.WhichOneof("kind") for message in messages for event in message.events]
    assert kinds == ["started", "choice_finished", "usage"]
    assert messages[-1].receipt.model == "domains/shared/models/model-1"


async def test_an_adapter_that_no_link_leads_to_is_passed_over(mesh: Mesh) -> None:
    mesh.router.plan = failover(attempt(1, adapter="elsewhere"), attempt(2))
    assert (await mesh.generate()).receipt.model == "domains/shared/models/model-2"
    assert said((await mesh.streamed())[0]) == "hello world"


@pytest.mark.parametrize("kind", ["hedge", "parallel", "cascade"])
async def test_nodes_that_cannot_be_executed_are_refused_before_anything_is_held(mesh: Mesh, kind: str) -> None:
    mesh.router.plan = plan_pb2.Plan()
    getattr(mesh.router.plan.root, kind).children.add().attempt.CopyFrom(attempt(1))
    _, error = await mesh.streamed()
    assert error is not None
    assert (error.reason_name, error.metadata["node"]) == ("PLAN_NOT_EXECUTABLE", kind)
    assert not mesh.policy.reserved


async def test_nested_failover_is_tried_in_order(mesh: Mesh) -> None:
    inner = failover(attempt(2), attempt(3)).root
    mesh.router.plan = plan_pb2.Plan()
    mesh.router.plan.root.failover.children.add().attempt.CopyFrom(attempt(1))
    mesh.router.plan.root.failover.children.add().CopyFrom(inner)
    mesh.adapter.scripts = {f"model-{number}": failing(failure("PROVIDER_ERROR")) for number in (1, 2)}
    assert (await mesh.generate()).receipt.model == "domains/shared/models/model-3"


async def test_trying_the_same_target_again_takes_from_a_budget(mesh: Mesh) -> None:
    mesh.router.plan = failover(attempt(1, model="same"), attempt(2, model="same"))
    mesh.adapter.scripts["same"] = failing(failure("PROVIDER_ERROR"))
    reasons = [error.reason_name for _ in range(8) if (error := (await mesh.streamed())[1]) is not None]
    assert reasons[:3] == ["ALL_ATTEMPTS_FAILED"] * 3
    assert reasons[-1] == "RETRY_BUDGET_EXHAUSTED"


async def test_outcomes_reach_the_router_in_the_background(mesh: Mesh) -> None:
    mesh.adapter.scripts["model-1"] = failing(failure("PROVIDER_ERROR"))
    await mesh.generate()
    await mesh.router.told.wait()
    assert [(each.model, each.error_reason) for each in mesh.router.reported] == [
        ("domains/shared/models/model-1", "PROVIDER_ERROR"),
        ("domains/shared/models/model-2", ""),
    ]
    assert mesh.router.reported[1].output_tokens == 3
    assert mesh.router.reported[1].decision_id == "d1"


async def test_policys_refusals_pass_through_and_hold_nothing(mesh: Mesh) -> None:
    reason = policy_errors.ERROR_REASON_BUDGET_EXCEEDED
    mesh.policy.refuses = PolicyError(reason, "spent", quota=[("domains/claims/projects/triage", "money")], retry_after=3.0)
    _, error = await mesh.streamed()
    assert isinstance(error, PeerError)
    assert (error.reason_name, error.domain, error.retry_after) == ("BUDGET_EXCEEDED", "policy.llm-mesh", 3.0)
    assert error.quota == (("domains/claims/projects/triage", "money"),)
    assert not mesh.policy.released
    assert not mesh.adapter.asked
