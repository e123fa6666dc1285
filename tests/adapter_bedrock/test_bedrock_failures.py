"""What goes wrong at the provider, in answers and within streams, has a reason and says whether repeating helps."""

from __future__ import annotations

import json

import grpc
import pytest

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_bedrock.provider import failures
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.secret import Secret
from tests.adapter_bedrock.conftest import Adapted, attempt, saying, scripted
from tests.adapter_kit.aws_frames import MEDIA_TYPE, event, failure, frame
from tests.adapter_kit.scripted_provider import chunked, sized

JSON = b"content-type: application/json"
BEGIN = event("messageStart", {"role": "assistant"}) + event("contentBlockDelta", {"delta": {"text": "Hi"}, "contentBlockIndex": 0})
END = (
    event("contentBlockStop", {"contentBlockIndex": 0})
    + event("messageStop", {"stopReason": "end_turn"})
    + event("metadata", {"usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4}, "metrics": {"latencyMs": 1}})
)
DEEP = json.loads("[" * 300 + "]" * 300)
KEYS = {"access_key_id": "AKIDEXAMPLEKEY", "secret_access_key": "secret/with+signs==", "session_token": 'to"ken/ü'}


async def reason_of(*pieces: bytes) -> tuple[str, str, str]:
    """The reason, text and events before it of a streamed answer."""
    seen: list[generate_pb2.StreamEvent] = []
    async with scripted(*pieces) as adapter:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await adapter.stream(saying(), attempt(), seen)
    error = from_rpc_error(caught.value)
    return error.reason_name, error.message, "".join(each.text.text for each in seen)


@pytest.mark.parametrize(
    ("status", "kind", "message", "reason"),
    [
        (b"400 Bad Request", "ValidationException", "The value at x is wrong", "PROVIDER_REJECTED"),
        (b"400 Bad Request", "ValidationException", "Input is too long for requested model.", "CONTEXT_EXCEEDED"),
        (b"400 Bad Request", "ValidationException", "The provided model identifier is invalid.", "PROVIDER_MODEL_NOT_FOUND"),
        (b"400 Bad Request", "ServiceQuotaExceededException", "no more", "PROVIDER_RATE_LIMITED"),
        (b"400 Bad Request", "UnrecognizedClientException", "The token is invalid", "PROVIDER_UNAUTHENTICATED"),
        (b"403 Forbidden", "AccessDeniedException", "no access", "PROVIDER_UNAUTHENTICATED"),
        (b"403 Forbidden", "ExpiredTokenException", "expired", "PROVIDER_UNAUTHENTICATED"),
        (b"404 Not Found", "ResourceNotFoundException", "no such model", "PROVIDER_MODEL_NOT_FOUND"),
        (b"408 Request Timeout", "ModelTimeoutException", "slow", "PROVIDER_ERROR"),
        (b"424 Failed Dependency", "ModelErrorException", "failed", "PROVIDER_ERROR"),
        (b"429 Too Many Requests", "ThrottlingException", "slow down", "PROVIDER_RATE_LIMITED"),
        (b"429 Too Many Requests", "ModelNotReadyException", "not yet", "PROVIDER_RATE_LIMITED"),
        (b"500 Internal Server Error", "InternalServerException", "oops", "PROVIDER_ERROR"),
        (b"503 Service Unavailable", "ServiceUnavailableException", "later", "PROVIDER_ERROR"),
    ],
)
async def test_each_error_of_the_provider_has_a_reason(status: bytes, kind: str, message: str, reason: str) -> None:
    named = f"x-amzn-ErrorType: {kind}:http://internal.amazon.com/coral/".encode()
    async with scripted(sized(json.dumps({"message": message}).encode(), JSON, named, status=status)) as adapter:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await adapter.generate(saying(), attempt())
    error = from_rpc_error(caught.value)
    assert error.reason_name == reason
    assert ("provider_message" in error.metadata) == (reason != "PROVIDER_UNAUTHENTICATED"), "of our account a caller learns nothing"


@pytest.mark.parametrize(
    ("kind", "message", "reason"),
    [
        ("internalServerException", "oops", "PROVIDER_ERROR"),
        ("modelStreamErrorException", "oops", "PROVIDER_ERROR"),
        ("serviceUnavailableException", "oops", "PROVIDER_ERROR"),
        ("modelTimeoutException", "oops", "PROVIDER_ERROR"),
        ("throttlingException", "slow down", "PROVIDER_RATE_LIMITED"),
        ("validationException", "wrong", "PROVIDER_REJECTED"),
        ("validationException", "Input is too long", "CONTEXT_EXCEEDED"),
        ("neverHeardOfException", "oops", "PROVIDER_ERROR"),
    ],
)
async def test_a_failure_within_a_stream_has_a_reason_and_what_came_before_stays(kind: str, message: str, reason: str) -> None:
    wire = chunked([BEGIN + failure(kind, {"message": message})], MEDIA_TYPE)
    told = await reason_of(wire)
    assert (told[0], told[2]) == (reason, "Hi")
    assert message in told[1]


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([BEGIN, BEGIN[:-1] + b"\x00" + END], "PROVIDER_MALFORMED"),
        ([BEGIN + END[:20]], "PROVIDER_RESET"),
        ([BEGIN], "PROVIDER_RESET"),
        (
            [BEGIN + frame(b"<xml/>", {":message-type": "event", ":event-type": "messageStop", ":content-type": "text/xml"})],
            "PROVIDER_MALFORMED",
        ),
        ([BEGIN + frame(b"not JSON", {":message-type": "event", ":event-type": "messageStop"})], "PROVIDER_MALFORMED"),
        ([BEGIN + event("contentBlockDelta", {"delta": {"toolUse": {"input": "{"}}, "contentBlockIndex": 0})], "PROVIDER_MALFORMED"),
        ([BEGIN + event("messageStop", {"stopReason": 5})], "PROVIDER_MALFORMED"),
        ([BEGIN + event("messageStop", {"stopReason": "end_turn", "x": DEEP})], "PROVIDER_MALFORMED"),
        ([BEGIN + event("messageStop", {"stopReason": "end_turn"}) + event("metadata", {"trace": DEEP})], "PROVIDER_MALFORMED"),
    ],
)
async def test_what_is_broken_within_a_stream_has_a_reason(pieces: list[bytes], reason: str) -> None:
    assert (await reason_of(chunked(pieces, MEDIA_TYPE)))[::2] == (reason, "Hi")


@pytest.mark.parametrize("content_type", [b"content-type: text/html", JSON])
async def test_a_stream_of_another_content_type_is_refused(content_type: bytes) -> None:
    assert (await reason_of(chunked([BEGIN + END], content_type)))[0] == "PROVIDER_MALFORMED"


async def test_a_stream_is_the_same_wherever_its_bytes_are_cut() -> None:
    wire = BEGIN + event("somethingNew", {"p": "ab", "x": 1}) + END
    events: list[generate_pb2.StreamEvent] = []
    outcomes = set()
    for size in (1, 7, len(wire)):
        pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
        async with scripted(chunked(pieces, MEDIA_TYPE)[:150], chunked(pieces, MEDIA_TYPE)[150:]) as adapter:
            events, report = await adapter.stream(saying(), attempt())
        events[0].started.ClearField("created")
        outcomes.add((tuple(each.SerializeToString(deterministic=True) for each in events), report.usage.SerializeToString()))
    assert len(outcomes) == 1
    assert [each.WhichOneof("kind") for each in events] == ["started", "text", "opaque", "choice_finished", "usage", "finished"]
    assert events[2].opaque.json == b'{"x":1}', "an event that nobody knows goes on whole"


@pytest.mark.parametrize(
    "model", ["sim-mid-error", "sim-truncate", "sim-malformed", "sim-mid-reset", "sim-mid-hangup", "sim-empty", "sim-html"]
)
async def test_each_failure_of_the_simulator_ends_a_stream_with_a_reason(adapter: Adapted, model: str) -> None:
    expected = {"sim-mid-error": "PROVIDER_ERROR", "sim-malformed": "PROVIDER_MALFORMED", "sim-html": "PROVIDER_ERROR"}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.stream(saying(), attempt(model))
    assert from_rpc_error(caught.value).reason_name == expected.get(model, "PROVIDER_RESET")


@pytest.mark.parametrize(
    "model", ["sim-400", "sim-401", "sim-403", "sim-404", "sim-429", "sim-quota", "sim-500", "sim-503", "sim-context-length"]
)
async def test_each_error_of_the_simulator_has_the_reason_that_other_dialects_give_it(adapter: Adapted, model: str) -> None:
    expected = {
        "sim-400": "PROVIDER_REJECTED",
        "sim-401": "PROVIDER_UNAUTHENTICATED",
        "sim-403": "PROVIDER_UNAUTHENTICATED",
        "sim-404": "PROVIDER_MODEL_NOT_FOUND",
        "sim-429": "PROVIDER_RATE_LIMITED",
        "sim-quota": "PROVIDER_RATE_LIMITED",
        "sim-context-length": "CONTEXT_EXCEEDED",
    }
    for call in (adapter.generate, adapter.stream):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(saying(), attempt(model))
        error = from_rpc_error(caught.value)
        assert error.reason_name == expected.get(model, "PROVIDER_ERROR")
        assert ("quota" in error.metadata) == (model == "sim-quota")


async def test_no_credential_comes_back_however_the_provider_writes_it() -> None:
    """AWS repeats the headers of a request, the session token among them, where a signature is wrong."""
    escaped = json.dumps(KEYS)
    said = json.dumps({"message": f"canonical: {KEYS['access_key_id']} {KEYS['session_token']} {escaped} {KEYS['secret_access_key']}"})
    text = event("contentBlockDelta", {"delta": {"text": KEYS["secret_access_key"] + " " + escaped}, "contentBlockIndex": 0})
    credentials = {"team": Secret(json.dumps(KEYS))}
    wires = (
        chunked([BEGIN + text + failure("validationException", json.loads(said))], MEDIA_TYPE),
        sized(said.encode(), JSON, b"x-amzn-requestid: " + KEYS["access_key_id"].encode(), status=b"400 Bad Request"),
    )
    for wire in wires:
        seen: list[generate_pb2.StreamEvent] = []
        async with scripted(wire, credentials=credentials, credential="team") as adapter:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await adapter.stream(saying(), attempt(), seen)
            _, headers, _ = adapter.sent
        assert headers["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={KEYS['access_key_id']}/")
        shown = f"{from_rpc_error(caught.value)} {from_rpc_error(caught.value).metadata} {seen}"
        assert "***" in shown
        assert not [key for key in KEYS.values() if key in shown]


def test_every_failure_that_the_official_client_knows_is_mapped() -> None:
    import boto3  # noqa: PLC0415 (of this test alone)

    model = boto3.client("bedrock-runtime", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b").meta.service_model
    known = {shape.name for shape in model.error_shapes}
    assert known <= failures.REASONS.keys()
    streamed = model.operation_model("ConverseStream").output_shape.members["stream"].members
    assert {name[:1].upper() + name[1:] for name in streamed if name.endswith("Exception")} <= failures.REASONS.keys()
