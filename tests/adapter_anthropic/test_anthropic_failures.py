"""Each way in which a provider of the dialect fails, and what the adapter makes of it."""

import grpc
import pytest

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_anthropic.provider.failures import of_answer, of_event
from llm_mesh_runtime.errors import PeerError
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_anthropic.conftest import Adapted, adapted, attempt, saying


async def _whole(adapter: Adapted, made: plan_pb2.Attempt) -> PeerError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.generate(saying("one two three four five six seven eight"), made)
    return from_rpc_error(caught.value)


async def _streamed(adapter: Adapted, made: plan_pb2.Attempt) -> tuple[PeerError, list[generate_pb2.StreamEvent]]:
    told: list[generate_pb2.StreamEvent] = []
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.stream(saying("one two three four five six seven eight"), made, told)
    return from_rpc_error(caught.value), told


@pytest.mark.parametrize(
    ("model", "reason", "status", "code"),
    [
        ("sim-400", "PROVIDER_REJECTED", "400", "invalid_request_error"),
        ("sim-context-length", "CONTEXT_EXCEEDED", "400", "invalid_request_error"),
        ("sim-401", "PROVIDER_UNAUTHENTICATED", "401", "authentication_error"),
        ("sim-403", "PROVIDER_UNAUTHENTICATED", "403", "permission_error"),
        ("sim-404", "PROVIDER_MODEL_NOT_FOUND", "404", "not_found_error"),
        ("sim-echo/status:413", "CONTEXT_EXCEEDED", "413", "request_too_large"),
        ("sim-429", "PROVIDER_RATE_LIMITED", "429", "rate_limit_error"),
        ("sim-quota", "PROVIDER_RATE_LIMITED", "429", "rate_limit_error"),
        ("sim-echo/status:402", "PROVIDER_RATE_LIMITED", "402", "billing_error"),
        ("sim-500", "PROVIDER_ERROR", "500", "api_error"),
        ("sim-503", "PROVIDER_ERROR", "503", "api_error"),
        ("sim-529", "PROVIDER_ERROR", "529", "overloaded_error"),
        ("sim-html", "PROVIDER_ERROR", "502", ""),
    ],
)
async def test_an_error_status_is_told_with_what_the_provider_said(
    adapter: Adapted, model: str, reason: str, status: str, code: str
) -> None:
    whole = await _whole(adapter, attempt(model))
    streamed, told = await _streamed(adapter, attempt(model))
    for failure in (whole, streamed):
        assert failure.reason_name == reason
        assert failure.domain == "adapter.llm-mesh"
        assert failure.metadata["provider_status"] == status
        assert failure.metadata.get("provider_code", "") == code
        about_account = reason == "PROVIDER_UNAUTHENTICATED"  # the text is for operators then
        assert bool(failure.metadata.get("provider_message")) == (bool(code) and not about_account)
        assert failure.metadata["sent"] == "true"
    assert not told


async def test_a_rate_limit_passes_the_providers_wish_on(adapter: Adapted) -> None:
    failure = await _whole(adapter, attempt("sim-429/retry_after:7"))
    assert failure.retry_after == 7


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("sim-reset", "PROVIDER_RESET"),
        ("sim-hangup", "PROVIDER_RESET"),
        ("sim-not-http", "PROVIDER_RESET"),
        ("sim-malformed", "PROVIDER_MALFORMED"),
        ("sim-empty", "PROVIDER_MALFORMED"),
        ("sim-mid-reset", "PROVIDER_RESET"),
        ("sim-mid-hangup", "PROVIDER_RESET"),
        ("sim-truncate", "PROVIDER_RESET"),
    ],
)
async def test_a_broken_answer_is_told_as_what_it_is(adapter: Adapted, model: str, reason: str) -> None:
    assert (await _whole(adapter, attempt(model))).reason_name in {reason, "PROVIDER_MALFORMED"}
    failure, told = await _streamed(adapter, attempt(model))
    assert failure.reason_name == ("PROVIDER_RESET" if model == "sim-empty" else reason)
    assert not any(event.WhichOneof("kind") in {"usage", "finished"} for event in told)


@pytest.mark.parametrize("model", ["sim-mid-reset", "sim-mid-hangup", "sim-mid-error"])
async def test_what_came_before_a_break_is_told_and_counted(adapter: Adapted, model: str) -> None:
    failure, told = await _streamed(adapter, attempt(f"{model}/after:4"))
    text = "".join(event.text.text for event in told)
    assert len(text.split()) == 4
    assert int(failure.metadata["input_tokens"]) > 0
    # Not the one token that the stream's first event speaks of.
    assert int(failure.metadata["output_tokens"]) >= 4


async def test_an_error_within_the_stream_has_the_providers_words(adapter: Adapted) -> None:
    failure, told = await _streamed(adapter, attempt("sim-mid-error"))
    assert told
    assert failure.reason_name == "PROVIDER_ERROR"
    assert failure.metadata["provider_code"] == "overloaded_error"
    assert failure.metadata["provider_message"] == "Overloaded"


@pytest.mark.parametrize(
    ("model", "limits", "phase"),
    [
        ("sim-stall", {"first_token": 0.2}, "first_token"),
        ("sim-ok-stall", {"first_token": 0.2}, "first_token"),
        ("sim-mid-stall", {"idle": 0.2}, "idle"),
        ("sim-slow/tokens:9000/rate:20", {"total": 0.4}, "total"),
    ],
)
async def test_a_provider_that_stalls_is_given_up_in_time(adapter: Adapted, model: str, limits: dict[str, float], phase: str) -> None:
    made = attempt(model)
    for name, seconds in limits.items():
        getattr(made.limits, name).FromMilliseconds(int(seconds * 1000))
    failure, _ = await _streamed(adapter, made)
    assert failure.reason_name == "PROVIDER_TIMEOUT"
    assert failure.metadata["phase"] == phase


async def test_a_provider_that_nobody_answers_for_has_seen_nothing() -> None:
    async with adapted(endpoints={"nobody": '{"base_url": "http://127.0.0.1:9", "local": true}'}) as adapter:
        failure = await _whole(adapter, attempt(endpoint="nobody"))
    assert failure.reason_name == "PROVIDER_UNREACHABLE"
    assert failure.metadata["sent"] == "false"


async def test_a_stream_that_gave_its_reason_to_end_is_whole_without_a_farewell(adapter: Adapted) -> None:
    events, report = await adapter.stream(saying("one two three"), attempt("sim-no-done"))
    assert events[-1].WhichOneof("kind") == "finished"
    assert report.usage.output_tokens == 3


async def test_a_stream_without_usage_is_counted(adapter: Adapted) -> None:
    _, report = await adapter.stream(saying("one two three"), attempt("sim-no-usage"))
    assert report.source == usage_pb2.USAGE_SOURCE_COUNTED
    assert report.usage.output_tokens > 0


@pytest.mark.parametrize(
    ("kind", "message", "reason"),
    [
        ("invalid_request_error", "prompt is too long: 209000 tokens > 200000 maximum", "CONTEXT_EXCEEDED"),
        ("invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 3", "CONTEXT_EXCEEDED"),
        ("invalid_request_error", "Output blocked by content filtering policy", "PROVIDER_FILTERED"),
        ("invalid_request_error", "Your credit balance is too low to access the Anthropic API.", "PROVIDER_RATE_LIMITED"),
        ("invalid_request_error", "You have reached your specified API usage limits.", "PROVIDER_RATE_LIMITED"),
        ("invalid_request_error", "max_tokens: Field required", "PROVIDER_REJECTED"),
        ("rate_limit_error", "too fast", "PROVIDER_RATE_LIMITED"),
        ("timeout_error", "too slow", "PROVIDER_ERROR"),
        ("a_new_error", "what", "PROVIDER_ERROR"),
    ],
)
def test_an_error_event_means_what_its_type_and_words_say(kind: str, message: str, reason: str) -> None:
    failure = of_event("x", {"type": "error", "error": {"type": kind, "message": message}})
    assert failure.reason_name == reason


def test_a_secret_in_an_error_is_not_passed_on() -> None:
    failure = of_answer(
        "x", 401, {}, b'{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key: sk-ant-verysecret"}}'
    )
    assert "verysecret" not in str(failure) + str(failure.metadata)


def test_a_body_that_is_no_json_does_not_hide_the_status() -> None:
    assert of_answer("x", 529, {}, b"<html>").reason_name == "PROVIDER_ERROR"
    assert of_answer("x", 404, {}, b"").reason_name == "PROVIDER_MODEL_NOT_FOUND"
