"""Requests are what the official client sends for the same call, field by field, and what the provider cannot take is told."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.addresses import MediaRule
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance
from llm_mesh_dialects.bedrock import embeddings
from llm_mesh_dialects.bedrock.requests import input_to_converse, input_to_count
from llm_mesh_dialects.errors import CostlyError, DialectError, MediaAddressError
from llm_mesh_runtime.secret import Secret
from tests.adapter_bedrock import official
from tests.adapter_bedrock.conftest import attempt, saying, scripted
from tests.adapter_bedrock.converse_cases import (
    ARN,
    CASES,
    CLAUDE,
    GPT,
    HISTORY,
    MODEL,
    NOVA,
    SYSTEM,
    TOOL,
    USER,
    Media,
    Part,
    extras,
    function,
    opaque,
    request,
    text,
    turn,
)
from tests.adapter_kit.scripted_provider import sized

ALLOWED = Allowance(
    frozenset({"serviceTier", "performanceConfig", "guardrailConfig", "projectIdentifier", "tool_type.systemTool"}),
    MediaRule(frozenset({"s3://reports"})),
)


@pytest.mark.parametrize("model", [CLAUDE, NOVA, GPT, ARN, "meta.llama3-1-8b-instruct-v1:0"])
@pytest.mark.parametrize("name", CASES)
def test_each_request_is_the_official_clients(name: str, model: str) -> None:
    typed, expected = CASES[name]
    made = input_to_converse(typed, model=model, max_output_tokens=4096, allowance=ALLOWED)
    for operation in ("converse", "converse_stream"):
        path, body = official.sent(operation, modelId=model, **official.arguments(made.body))
        assert body == json.loads(json.dumps(made.body))
        assert path.endswith("/" + operation.replace("_", "-"))
    counted = input_to_count(typed, model=model, allowance=ALLOWED)
    assert official.sent("count_tokens", modelId=CLAUDE, **official.arguments(counted))[1] == counted
    if model == CLAUDE:
        assert {key: made.body.get(key) for key in expected} == expected


PARTS = st.one_of(
    st.text(max_size=8).map(text),
    st.builds(lambda data: Part(image=Media(data=b"GIF8" + data)), st.binary(max_size=4)),
    st.builds(
        lambda name, kind: Part(file=Media(data=b"x", mime_type=kind, filename=name)),
        st.text(max_size=12),
        st.sampled_from(["application/pdf", "text/plain", "video/mp4"]),
    ),
    st.builds(
        lambda id_, name, json_: Part(tool_call=content_pb2.ToolCall(id=id_, name=name, arguments_json=json_)),
        st.text(min_size=1, max_size=80),
        st.text("ab_-9", min_size=1, max_size=128),
        st.sampled_from(["", "{}", "[1]", "{", '{"a": null}']),
    ),
    st.builds(
        lambda id_, shown: Part(tool_result=content_pb2.ToolResult(tool_call_id=id_, parts=[text(shown)])),
        st.text(min_size=1, max_size=80),
        st.text(max_size=4),
    ),
    st.builds(
        lambda shown, proof: Part(reasoning=content_pb2.Reasoning(text=shown, signature=proof)), st.text(max_size=4), st.text(max_size=4)
    ),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.builds(lambda role, parts: turn(role, *parts), st.sampled_from([USER, MODEL, TOOL, SYSTEM]), st.lists(PARTS, max_size=4)),
        max_size=5,
    ),
    st.sampled_from([CLAUDE, NOVA, ARN]),
)
def test_whatever_a_conversation_holds_the_official_client_takes_it(messages: list[content_pb2.Message], model: str) -> None:
    try:
        made = input_to_converse(generate_pb2.GenerateInput(messages=messages), model=model, max_output_tokens=9)
    except DialectError as error:
        assume(not error.field.startswith("messages"))
        raise
    assert official.sent("converse", modelId=model, **official.arguments(made.body))[1] == made.body
    roles = [turn["role"] for turn in made.body["messages"]]
    assert all(one != other for one, other in itertools.pairwise(roles)), "turns alternate"
    names = [block["document"]["name"] for turn in made.body["messages"] for block in turn["content"] if "document" in block]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("model", ["amazon.titan-embed-text-v2:0", "cohere.embed-v4:0", "cohere.embed-multilingual-v3"])
def test_requests_for_vectors_are_bodies_of_invoke(model: str) -> None:
    from llm_mesh.inference.v1 import embed_pb2  # noqa: PLC0415 (of this test alone)

    typed = embed_pb2.EmbedInput(
        items=[embed_pb2.EmbedItem(text="a")], dimensions=256, extras=extras(truncate="END", input_type="classification")
    )
    body, _ = embeddings.input_to_body(typed, model=model)
    expected: dict[str, dict[str, Any]] = {
        "amazon.titan-embed-text-v2:0": {"inputText": "a", "dimensions": 256, "embeddingTypes": ["float"]},
        "cohere.embed-v4:0": {"texts": ["a"], "output_dimension": 256, "embedding_types": ["float"]},
        "cohere.embed-multilingual-v3": {"texts": ["a"], "embedding_types": ["float"]},
    }
    assert body == expected[model] | {"truncate": "END", "input_type": "classification"}
    assert official.sent("invoke_model", modelId=model, body=json.dumps(body))[1] == body


@pytest.mark.parametrize(
    ("typed", "field", "kind"),
    [
        (request(turn(USER, text("a"), Part(image=Media(uri="https://a.example/a.png")))), "messages[0].parts[1].image", DialectError),
        (request(turn(USER, text("a"), Part(image=Media(uri="s3://other/a.png")))), "messages[0].parts[1].image.uri", MediaAddressError),
        (request(turn(USER, Part(image=Media(data=b"x", mime_type="image/tiff")))), "messages[0].parts[0].image", DialectError),
        (request(turn(USER, Part(file=Media(data=b"x", mime_type="application/zip")))), "messages[0].parts[0].file", DialectError),
        (request(turn(MODEL, Part(tool_call=content_pb2.ToolCall(name="a")))), "messages[0].parts[0].tool_call.id", DialectError),
        (request(extras=extras(serviceTier={"type": "priority"})), "extras[bedrock.serviceTier]", CostlyError),
        (
            request(extras=extras(guardrailConfig={"guardrailIdentifier": "a", "guardrailVersion": "1"})),
            "extras[bedrock.guardrailConfig]",
            CostlyError,
        ),
        (request(tools=[content_pb2.Tool(opaque=opaque("systemTool", {"name": "nova_code_interpreter"}))]), "tools[0].opaque", CostlyError),
        (
            request(turn(USER, Part(opaque=content_pb2.OpaquePart(dialect="bedrock", type="searchResult", json=b'{"video": {}}')))),
            "messages[0].parts[0].opaque",
            CostlyError,
        ),
        (request(turn(USER, text(" "))), "messages", DialectError),
    ],
)
def test_what_must_not_or_cannot_be_sent_is_refused_by_its_field(
    typed: generate_pb2.GenerateInput, field: str, kind: type[DialectError]
) -> None:
    with pytest.raises(kind) as caught:
        input_to_converse(typed, model=CLAUDE, allowance=NOTHING_MORE)
    assert caught.value.field == field


S3 = {"s3Location": {"uri": "s3://payroll/secret.pdf", "bucketOwner": "111122223333"}}
MEDIA: dict[str, dict[str, Any]] = {
    "document": {"format": "pdf", "name": "x", "source": S3},
    "video": {"format": "mp4", "source": S3},
    "audio": {"format": "mp3", "source": {"bytes": "AAAA"}},
    "image": {"format": "png", "source": {"bytes": "AAAA"}},
}
FRAMES: dict[str, Callable[[Any], Any]] = {
    "toolResult": lambda block: {"toolUseId": "a", "content": [{"text": "b"}, block]},
    "guardContent": lambda block: block,
    "searchResult": lambda block: {"source": "https://x", "title": "t", "content": [block]},
    "citationsContent": lambda block: {"content": [{"text": "a"}], "citations": [{"sourceContent": [block]}]},
}


def framed(kind: str, block: object, depth: int = 1) -> generate_pb2.GenerateInput:
    """A request with a medium that stands within another block, as deep as that."""
    for _ in range(depth):
        block = {kind: FRAMES[kind](block)}
    part = content_pb2.OpaquePart(dialect="bedrock", type="searchResult", json=json.dumps(block).encode())
    return request(turn(USER, text("a"), Part(opaque=part)))


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("kind", FRAMES)
def test_media_within_other_blocks_are_refused_as_they_are_alone(kind: str, medium: str, depth: int) -> None:
    with pytest.raises(CostlyError) as caught:
        input_to_converse(framed(kind, {medium: MEDIA[medium]}, depth), model=CLAUDE, allowance=NOTHING_MORE)
    assert caught.value.name == f"part_type.{medium}"
    assert caught.value.field.startswith(f"messages[0].parts[1].opaque.json.{kind}")


@pytest.mark.parametrize("medium", ["document", "video"])
@pytest.mark.parametrize("kind", FRAMES)
def test_places_in_s3_need_an_allowed_bucket_wherever_they_stand(kind: str, medium: str) -> None:
    allowed = frozenset(f"part_type.{each}" for each in (*MEDIA, *FRAMES))
    for refused in (framed(kind, {medium: MEDIA[medium]}), framed(kind, {"new": S3}), framed(kind, {medium: MEDIA[medium]}, 0)):
        with pytest.raises(MediaAddressError, match="a bucket that the endpoint's operator allows"):
            input_to_converse(refused, model=CLAUDE, allowance=Allowance(allowed, MediaRule(frozenset({"s3://reports"}))))
    typed = framed(kind, {medium: MEDIA[medium]})
    made = input_to_converse(typed, model=CLAUDE, allowance=Allowance(allowed, MediaRule(frozenset({"s3://payroll"}))))
    assert made.body["messages"][0]["content"][1] == json.loads(typed.messages[0].parts[1].opaque.json)


def test_sources_of_texts_hold_no_media() -> None:
    source = {"sourceContent": [{"document": MEDIA["document"]}]}
    cited = content_pb2.Extra(dialect="bedrock", key="citation", json=json.dumps(source).encode())
    with pytest.raises(CostlyError):
        input_to_converse(request(turn(USER, Part(text=content_pb2.Text(text="a", annotations=[cited])))), model=CLAUDE)


def test_json_of_tools_may_have_keys_of_any_name() -> None:
    typed = framed("toolResult", {"json": {"image": {"s3Location": {}}, "document": {}}})
    made = input_to_converse(typed, model=CLAUDE, allowance=NOTHING_MORE)
    assert made.body["messages"][0]["content"][1] == json.loads(typed.messages[0].parts[1].opaque.json)


@pytest.mark.parametrize(
    ("typed", "model", "lost"),
    [
        (request(extras=extras(inferenceConfig={"maxTokens": 9_999_999})), CLAUDE, {"extras[bedrock.inferenceConfig]"}),
        (
            request(extras=extras(additionalModelRequestFields={"max_tokens": 9, "seed": 1})),
            CLAUDE,
            {"extras[bedrock.additionalModelRequestFields].max_tokens"},
        ),
        (request(extras=extras(somethingNew=1)), CLAUDE, {"extras[bedrock.somethingNew]"}),
        (
            request(
                end_user="u", prompt_cache_key="k", candidate_count=2, logprobs=generate_pb2.LogprobOptions(top=1), modalities=["audio"]
            ),
            CLAUDE,
            {"end_user", "prompt_cache_key", "candidate_count", "logprobs", "modalities"},
        ),
        (
            request(sampling=generate_pb2.Sampling(temperature=1.5, top_k=4, seed=1, frequency_penalty=1, logit_bias={"1": 1})),
            GPT,
            {"sampling.temperature", "sampling.top_k", "sampling.seed", "sampling.frequency_penalty", "sampling.logit_bias"},
        ),
        (request(turn(USER, text("a", cache_hint=content_pb2.CacheHint()))), GPT, {"messages[0].parts[0].cache_hint"}),
        (
            request(
                turn(USER, text("a")), turn(MODEL, Part(reasoning=content_pb2.Reasoning(text="unproved")), text("b")), turn(USER, text("c"))
            ),
            CLAUDE,
            {"messages[1].parts[0].reasoning"},
        ),
        (request(reasoning=generate_pb2.ReasoningOptions(effort="minimal")), NOVA, {"reasoning.effort"}),
        (
            request(tools=[function()], tool_choice=content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NONE)),
            CLAUDE,
            {"tool_choice.mode"},
        ),
        (request(*HISTORY), CLAUDE, {"tools", "messages[1].parts[3].tool_call.id", "messages[2].parts[0].tool_result.tool_call_id"}),
        (request(turn(USER, Part(file=Media(data=b"x", mime_type="application/pdf")))), CLAUDE, {"messages"}),
    ],
)
def test_what_is_lost_or_changed_is_told(typed: generate_pb2.GenerateInput, model: str, lost: set[str]) -> None:
    made = input_to_converse(typed, model=model, max_output_tokens=100, allowance=Allowance(frozenset(), MediaRule(frozenset({"*"}))))
    assert {each.field for each in made.translations} == lost
    assert made.body["inferenceConfig"]["maxTokens"] == 100


async def test_what_arrives_at_the_provider_is_signed_as_the_official_client_signs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}, "stopReason": "end_turn"}
    keys = {"access_key_id": official.KEYS["aws_access_key_id"], "secret_access_key": official.KEYS["aws_secret_access_key"]}
    credentials = {"team": Secret(json.dumps({**keys, "session_token": "tok/en=="}))}
    wire = sized(json.dumps(answer).encode(), b"content-type: application/json")
    async with scripted(wire, credentials=credentials, credential="team", region=official.REGION) as adapter:
        await adapter.generate(saying("Grüße"), attempt(ARN))
        path, headers, body = adapter.sent
    assert path == official.sent("converse", modelId=ARN, **official.arguments(body))[0]
    moment = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    monkeypatch.setattr(auth, "get_current_datetime", lambda: moment)
    raw = adapter.provider.requests[-1].partition(b"\r\n\r\n")[2] if adapter.provider else b""
    resigned = AWSRequest("POST", f"http://{headers['host']}{path}", headers={"Content-Type": "application/json"}, data=raw)
    auth.SigV4Auth(Credentials(*keys.values(), "tok/en=="), "bedrock", official.REGION).add_auth(resigned)
    assert headers["authorization"] == resigned.headers["Authorization"]
    assert headers["x-amz-security-token"] == "tok/en=="


async def test_a_bearer_key_goes_without_a_signature() -> None:
    answer = {"output": {"message": {"role": "assistant", "content": []}}, "stopReason": "end_turn"}
    wire = sized(json.dumps(answer).encode(), b"content-type: application/json")
    async with scripted(wire, credentials={"team": Secret("ABSK-of-the-team")}, credential="team") as adapter:
        await adapter.generate(saying(), attempt(CLAUDE))
        _, headers, _ = adapter.sent
    assert headers["authorization"] == "Bearer ABSK-of-the-team"
    assert "x-amz-date" not in headers
