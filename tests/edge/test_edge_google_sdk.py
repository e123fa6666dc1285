"""Google's official SDK as a client that knows nothing of the mesh."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from llm_mesh.adapter.v1 import errors_pb2 as adapter_errors
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import errors_pb2 as policy_errors
from llm_mesh_runtime.errors import MeshError, invalid
from tests.edge.conftest import KEY, Served
from tests.edge.fakes import FINISHED, STARTED, STOPPED, USAGE, StreamEvent, text

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
"""The SDK's own doing."""
ALIAS = "claims/summariser:v2"
PATH = f"/v1beta/models/{ALIAS}"
CONTENTS: Any = [{"role": "user", "parts": [{"text": "hi"}]}]
ASKED = {"contents": CONTENTS}
PROOF = "gemini:0123456789ab:n:c2lnbmF0dXJl"


class AdapterError(MeshError):
    reasons = adapter_errors.ErrorReason


class PolicyError(MeshError):
    reasons = policy_errors.ErrorReason


@pytest.fixture
async def google(served: Served) -> AsyncIterator[Any]:
    """The SDK's asynchronous client, with its own default version of the API."""
    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=served.url))
    async with client.aio as asynchronous:
        yield asynchronous
    client.close()


def headers(**more: str) -> dict[str, str]:
    return {"x-goog-api-key": KEY, **more}


async def test_an_answer_comes_whole_with_its_usage(served: Served, google: Any) -> None:
    answer = await google.models.generate_content(model=ALIAS, contents="hi", config={"system_instruction": "be brief", "temperature": 0.5})
    assert (answer.text, answer.candidates[0].finish_reason, answer.model_version) == ("hello world", "STOP", "upstream-model")
    used = answer.usage_metadata
    assert (used.prompt_token_count, used.candidates_token_count, used.total_token_count) == (5, 2, 7)
    assert answer.sdk_http_response.headers["x-llm-mesh-cost"] == "0.000001234"
    (asked,) = served.gateway.asked
    assert (asked.input.model, asked.input.source_dialect, asked.input.sampling.temperature) == (ALIAS, "gemini", 0.5)
    assert asked.input.messages[0].role == content_pb2.ROLE_SYSTEM
    assert served.gateway.metadata[0]["authorization"] == f"Bearer {KEY}"


async def test_an_answer_is_streamed_with_usage_and_cost_in_the_last_chunk(served: Served, google: Any) -> None:
    chunks = [chunk async for chunk in await google.models.generate_content_stream(model=ALIAS, contents="hi")]
    assert "".join(chunk.text or "" for chunk in chunks) == "hello world"
    assert [chunk.candidates[0].finish_reason for chunk in chunks] == [None, None, "STOP"]
    assert chunks[-1].usage_metadata.total_token_count == 7
    async with served.session.post(f"{served.url}{PATH}:streamGenerateContent?alt=sse", json=ASKED, headers=headers()) as answer:
        assert answer.content_type == "text/event-stream"
        frames = [json.loads(line[6:]) for line in (await answer.text()).split("\n\n") if line]
    assert frames[-1]["llm_mesh"]["cost"] == "0.000001234"


async def test_without_sse_a_stream_is_one_array(served: Served) -> None:
    async with served.session.post(f"{served.url}{PATH}:streamGenerateContent", json=ASKED, headers=headers()) as answer:
        assert answer.content_type == "application/json"
        pieces = [piece async for piece, _ in answer.content.iter_chunks()]
    assert len(pieces) > 1, "it is written piece by piece"
    chunks = json.loads(b"".join(pieces))
    assert [part["text"] for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]] == ["hello", " world", ""]


async def test_a_silent_stream_is_kept_alive_in_a_way_that_the_sdk_takes(served: Served, google: Any) -> None:
    import asyncio  # noqa: PLC0415 (only here)

    async def silence() -> None:
        await asyncio.sleep(1.0)

    served.gateway.says = [silence, STARTED, text("late"), STOPPED, FINISHED]
    chunks = [chunk async for chunk in await google.models.generate_content_stream(model=ALIAS, contents="hi")]
    assert "".join(chunk.text or "" for chunk in chunks) == "late"


def calling(**more: Any) -> generate_pb2.GenerateOutput:
    call = content_pb2.ToolCall(id="c1", name="look", arguments_json='{"at":"sky"}')
    proof = content_pb2.Part(reasoning=content_pb2.Reasoning(signature=PROOF))
    message = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[proof, content_pb2.Part(tool_call=call)])
    choice = generate_pb2.Choice(message=message, finish_reason=generate_pb2.FINISH_REASON_TOOL_CALLS)
    return generate_pb2.GenerateOutput(choices=[choice], usage=USAGE, **more)


async def test_tools_are_called_whole_and_streamed_and_their_proofs_come_back(served: Served, google: Any) -> None:
    served.gateway.output = calling()
    tools = [types.Tool(function_declarations=[types.FunctionDeclaration(name="look", parameters_json_schema={"type": "object"})])]
    answer = await google.models.generate_content(model=ALIAS, contents="hi", config={"tools": tools})
    (call,) = answer.function_calls
    assert (call.name, call.args, call.id, answer.candidates[0].finish_reason) == ("look", {"at": "sky"}, "c1", "STOP")
    assert answer.response_id, "clients expect an id even of providers that give none"
    result = types.Part.from_function_response(name="look", response={"result": "blue"})
    contents = [types.UserContent("hi"), answer.candidates[0].content, types.Content(role="user", parts=[result])]
    await google.models.generate_content(model=ALIAS, contents=contents, config={"tools": tools})
    sent = served.gateway.asked[-1].input.messages
    assert [part.WhichOneof("kind") for part in sent[1].parts] == ["reasoning", "tool_call"]
    assert (sent[1].parts[0].reasoning.signature, sent[2].role) == (PROOF, content_pb2.ROLE_TOOL)
    assert sent[2].parts[0].tool_result.tool_call_id == "c1"
    served.gateway.says = [
        STARTED,
        StreamEvent(reasoning=generate_pb2.ReasoningDelta(signature=PROOF)),
        StreamEvent(tool_call_started=generate_pb2.ToolCallStarted(id="c1", name="look")),
        StreamEvent(tool_call=generate_pb2.ToolCallDelta(arguments_json='{"at":')),
        StreamEvent(tool_call=generate_pb2.ToolCallDelta(arguments_json='"sky"}')),
        StreamEvent(choice_finished=generate_pb2.ChoiceFinished(finish_reason=generate_pb2.FINISH_REASON_TOOL_CALLS)),
        FINISHED,
    ]
    chunks = [chunk async for chunk in await google.models.generate_content_stream(model=ALIAS, contents="hi", config={"tools": tools})]
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts if part.function_call]
    assert [(part.function_call.args, part.thought_signature) for part in parts] == [({"at": "sky"}, PROOF.encode())]


async def test_a_chat_keeps_what_was_streamed(served: Served, google: Any) -> None:
    chat = google.chats.create(model=ALIAS)
    for _ in range(2):
        async for _chunk in await chat.send_message_stream("hi"):
            pass
    said = served.gateway.asked[-1].input.messages
    assert [message.role for message in said] == [content_pb2.ROLE_USER, content_pb2.ROLE_ASSISTANT, content_pb2.ROLE_USER]
    assert "".join(part.text.text for part in said[1].parts) == "hello world"


@pytest.mark.parametrize("shown", [True, False])
async def test_thoughts_are_told_to_who_asks_for_them(served: Served, google: Any, *, shown: bool) -> None:
    thought = content_pb2.Part(reasoning=content_pb2.Reasoning(text="hm"))
    said = content_pb2.Part(text=content_pb2.Text(text="so"))
    message = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[thought, said])
    served.gateway.output = generate_pb2.GenerateOutput(choices=[generate_pb2.Choice(message=message)], usage=USAGE)
    thinking = types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW, include_thoughts=shown)
    answer = await google.models.generate_content(model=ALIAS, contents="hi", config={"thinking_config": thinking})
    assert [part.text for part in answer.candidates[0].content.parts] == (["hm", "so"] if shown else ["so"])
    assert served.gateway.asked[0].input.reasoning.effort == "low"
    delta = generate_pb2.ReasoningDelta
    served.gateway.says = [STARTED, StreamEvent(reasoning=delta(text="hm")), text("so"), STOPPED, FINISHED]
    stream = await google.models.generate_content_stream(model=ALIAS, contents="hi", config={"thinking_config": thinking})
    parts = [part.text async for chunk in stream for part in chunk.candidates[0].content.parts if part.text]
    assert parts == (["hm", "so"] if shown else ["so"])


async def test_tokens_are_counted(served: Served, google: Any) -> None:
    assert (await google.models.count_tokens(model=ALIAS, contents="hi")).total_tokens == 17
    wrapped = {
        "generateContentRequest": {"model": f"models/{ALIAS}", "contents": CONTENTS, "systemInstruction": {"parts": [{"text": "be"}]}}
    }
    status, body, _ = await served.post(f"{PATH}:countTokens", json=wrapped, headers=headers())
    assert (status, body) == (200, {"totalTokens": 17, "llm_mesh": {"source": "estimated"}})
    assert len(served.gateway.asked[-1].input.messages) == 2


async def test_texts_are_embedded(served: Served, google: Any) -> None:
    config = types.EmbedContentConfig(output_dimensionality=2, task_type="RETRIEVAL_QUERY")
    answer = await google.models.embed_content(model=ALIAS, contents=["a", "b"], config=config)
    assert [each.values for each in answer.embeddings] == [[0.5, -1.0]] * 2
    asked = served.gateway.asked[0].input
    assert ([item.text for item in asked.items], asked.dimensions, asked.extras[0].key) == (["a", "b"], 2, "taskType")
    status, body, _ = await served.post(f"{PATH}:embedContent", json={"content": {"parts": [{"text": "a"}]}}, headers=headers())
    assert (status, body["embedding"]) == (200, {"values": [0.5, -1.0]})
    assert body["usageMetadata"]["promptTokenCount"] == 4


async def test_models_are_listed_in_googles_shape(served: Served, google: Any) -> None:
    listed = [model.name async for model in await google.models.list()]
    assert listed == ["models/gpt-4.1", "models/claims/summariser"]
    assert (await google.models.get(model="claims/summariser")).display_name == "claims/summariser"
    with pytest.raises(errors.ClientError) as refused:
        await google.models.get(model="nothing")
    assert (refused.value.code, refused.value.status) == (404, "NOT_FOUND")
    async with served.session.get(f"{served.url}/v1beta/models", headers=served.headers) as answer:
        assert (await answer.json())["models"][0]["name"] == "models/gpt-4.1", "below v1beta everybody is answered in Google's shape"
    assert (await served.sdk.models.retrieve("gpt-4.1")).object == "model"


def details(error: errors.APIError) -> dict[str, Any]:
    """What a failure tells programs, by the name of each detail."""
    return {each["@type"].rpartition(".")[2]: each for each in error.details["error"]["details"]}


async def test_a_wrong_key_and_none_are_refused(served: Served) -> None:
    for key, reason in ((headers() | {"x-goog-api-key": "mk_wrong"}, "invalid_credential"), ({}, "missing_credential")):
        status, body, _ = await served.post(f"{PATH}:generateContent?key={KEY}", json=ASKED, headers=key)
        assert (status, body["error"]["status"], body["error"]["llm_mesh_code"]) == (401, "UNAUTHENTICATED", reason)
        assert body["error"]["code"] == 401
    assert not served.gateway.asked, "a key in an address is none"


async def test_a_limit_says_when_to_come_back(served: Served, google: Any) -> None:
    served.gateway.fails = PolicyError(policy_errors.ERROR_REASON_LIMIT_EXCEEDED, "too many requests", retry_after=1.5)
    with pytest.raises(errors.ClientError) as refused:
        await google.models.generate_content(model=ALIAS, contents="hi")
    assert (refused.value.code, refused.value.status, refused.value.message) == (429, "RESOURCE_EXHAUSTED", "too many requests")
    told = details(refused.value)
    assert (told["RetryInfo"]["retryDelay"], told["ErrorInfo"]["reason"]) == ("1.5s", "LIMIT_EXCEEDED")
    assert told["QuotaFailure"]["violations"][0]["quotaId"] == "limit_exceeded"


async def test_a_blocked_prompt_is_an_answer_without_candidates(served: Served, google: Any) -> None:
    blocked = AdapterError(adapter_errors.ERROR_REASON_PROVIDER_FILTERED, "it was blocked", provider_code="PROHIBITED_CONTENT")
    served.gateway.fails = blocked
    answer = await google.models.generate_content(model=ALIAS, contents="hi")
    assert (answer.prompt_feedback.block_reason, answer.candidates) == ("PROHIBITED_CONTENT", None)
    (chunk,) = [each async for each in await google.models.generate_content_stream(model=ALIAS, contents="hi")]
    assert chunk.prompt_feedback.block_reason == "PROHIBITED_CONTENT"
    status, body, _ = await served.post(f"{PATH}:streamGenerateContent", json=ASKED, headers=headers())
    assert (status, body[0]["promptFeedback"]["blockReason"]) == (200, "PROHIBITED_CONTENT")


async def test_a_stream_that_breaks_off_tells_why(served: Served, google: Any) -> None:
    served.gateway.says = [STARTED, text("hel"), AdapterError(adapter_errors.ERROR_REASON_PROVIDER_RESET, "it hung up", sent="true")]
    with pytest.raises(errors.APIError) as refused:
        async for _ in await google.models.generate_content_stream(model=ALIAS, contents="hi"):
            pass
    assert details(refused.value)["ErrorInfo"]["reason"] == "PROVIDER_RESET"
    async with served.session.post(f"{served.url}{PATH}:streamGenerateContent", json=ASKED, headers=headers()) as answer:
        chunks = json.loads(await answer.text())
    assert [next(iter(chunk)) for chunk in chunks] == ["candidates", "error"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"contents": None}, "contents"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "contents[0].parts[0].text"),
        ({"generationConfig": {"topK": "x"}}, "generationConfig.topK"),
        ({"generation_config": {"max_output_tokens": "x"}}, "generation_config.max_output_tokens"),
        ({"llm_mesh": {"nonsense": 1}}, "llm_mesh.nonsense"),
    ],
)
async def test_a_wrong_type_is_named_by_its_path(served: Served, change: dict[str, Any], field: str) -> None:
    status, body, _ = await served.post(f"{PATH}:generateContent", json=ASKED | change, headers=headers())
    assert (status, body["error"]["status"], body["error"]["llm_mesh_code"]) == (400, "INVALID_ARGUMENT", "invalid_field")
    (violation,) = body["error"]["details"][1]["fieldViolations"]
    assert violation["field"] == field
    assert not served.gateway.asked


async def test_a_field_that_the_mesh_refuses_has_the_dialects_name(served: Served, google: Any) -> None:
    served.gateway.fails = invalid("input.messages[1].parts[1].tool_call.arguments_json", "less")
    contents = [CONTENTS[0], {"role": "model", "parts": [{"text": "x"}, {"function_call": {"name": "f"}}]}]
    with pytest.raises(errors.ClientError) as refused:
        await google.models.generate_content(model=ALIAS, contents=contents)
    assert details(refused.value)["BadRequest"]["fieldViolations"][0]["field"] == "contents[1].parts[1].functionCall.args"


async def test_the_mesh_is_spoken_to_in_the_body(served: Served) -> None:
    mesh = {"prompt": {"name": "triage"}, "tags": {"team": "a"}, "project": "other"}
    status, _, _ = await served.post(f"{PATH}:generateContent", json={"llm_mesh": mesh}, headers=headers())
    assert status == 200, "a prompt needs no contents"
    (asked,) = served.gateway.asked
    assert (asked.options.prompt.name, dict(asked.options.tags)) == ("triage", {"team": "a"})
    assert served.gateway.metadata[0]["x-llm-mesh-project"] == "other"


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
async def test_bytes_are_read_in_both_alphabets(served: Served, encode: Any) -> None:
    data = bytes(range(248, 256)) * 2
    part = {"inlineData": {"mimeType": "image/png", "data": encode(data).decode().rstrip("=")}}
    status, _, _ = await served.post(f"{PATH}:generateContent", json={"contents": [{"parts": [part]}]}, headers=headers())
    assert (status, served.gateway.asked[0].input.messages[0].parts[0].image.data) == (200, data)


async def test_paths_and_methods_that_are_wrong_are_told_in_googles_shape(served: Served) -> None:
    for path, status in ((f"{PATH}:predict", 405), ("/v1beta/tunedModels/x:generateContent", 404), (f"/v1/models/{ALIAS}:predict", 405)):
        told, body, _ = await served.post(path, json=ASKED, headers=headers())
        assert (told, body["error"]["code"]) == (status, status), body
    async with served.session.get(f"{served.url}{PATH}:generateContent", headers=headers()) as answer:
        assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS, POST")
        assert (await answer.json())["error"]["status"] == "UNIMPLEMENTED"


async def test_a_key_that_stands_twice_is_refused(served: Served) -> None:
    twice = [("x-goog-api-key", KEY), ("x-goog-api-key", KEY)]
    status, body, _ = await served.post(f"{PATH}:generateContent", json=ASKED, headers=twice)
    assert (status, body["error"]["llm_mesh_code"]) == (400, "invalid_field")
    assert body["error"]["details"][1]["fieldViolations"][0]["field"] == "x-goog-api-key"


async def test_a_body_that_is_nested_deeply_is_refused(served: Served) -> None:
    deep = '{"parts":' * 1000 + "1" + "}" * 1000
    for key in ("contents", "generationConfig", "unknown"):
        raw = f'{{"contents": [], "{key}": {deep}}}' if key != "contents" else f'{{"contents": [{deep}]}}'
        status, body, _ = await served.post(f"{PATH}:generateContent", data=raw, headers=headers() | {"content-type": "application/json"})
        assert (status, body["error"]["llm_mesh_code"]) == (400, "invalid_field"), (key, body)
