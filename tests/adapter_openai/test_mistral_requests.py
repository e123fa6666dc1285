"""What Mistral is sent is what its own library sends for the same call, field by field; and its thinking and its seconds are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_openai.provider.dialect import OpenAIDialect
from llm_mesh_adapter_openai.provider.overrides import configured
from llm_mesh_runtime.secret import Secret
from tests.adapter_kit.standing_adapter import saying
from tests.sdk_requests.record import SCHEMA
from tests.sdk_requests.recordings import recorded

SENT = recorded("mistralai")
TABLE = configured({}, {"mistral_key": Secret("key")} | dict.fromkeys(("openai_key",), Secret("")), {}, max_in_flight=1)
ENDPOINT = next(each for each in TABLE.endpoints if each.name == "mistral")
DIALECT = OpenAIDialect(TABLE.rows)
Part, Message = content_pb2.Part, content_pb2.Message
TOOL = content_pb2.Tool(
    function=content_pb2.FunctionTool(name="get_weather", description="The weather of a city", parameters_json=json.dumps(SCHEMA))
)
DEFAULTS = {"stream": False, "prefix": False}
"""What the library says although it is what happens anyway."""


def text(words: str) -> content_pb2.Part:
    return Part(text=content_pb2.Text(text=words))


def extra(key: str, value: object) -> content_pb2.Extra:
    return content_pb2.Extra(dialect="openai", key=key, json=json.dumps(value).encode())


THOUGHT = [
    Message(role=content_pb2.ROLE_USER, parts=[text("Think.")]),
    Message(role=content_pb2.ROLE_ASSISTANT, parts=[Part(reasoning=content_pb2.Reasoning(text="Hm.")), text("Done.")]),
    Message(role=content_pb2.ROLE_USER, parts=[text("Again.")]),
]
SAMPLED = generate_pb2.Sampling(temperature=0.5, top_p=0.9, seed=7, presence_penalty=0.5, frequency_penalty=0.25)
REQUIRED = content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_REQUIRED)
CHATS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "hello": ("mistral-small", {}),
    "sampling": ("mistral-small", {"sampling": SAMPLED, "stop": ["END"], "candidate_count": 2}),
    "tools": ("mistral-small", {"tools": [TOOL], "tool_choice": REQUIRED, "parallel_tool_calls": False}),
    "effort": ("mistral-small", {"reasoning": generate_pb2.ReasoningOptions(effort="high")}),
    "thought": ("magistral-small", {"messages": THOUGHT, "extras": [extra("prompt_mode", "reasoning")]}),
    "extras": ("mistral-small", {"extras": [extra("safe_prompt", value=True)]}),
}


def without_defaults(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_defaults(each) for key, each in value.items() if DEFAULTS.get(key, key) != each}
    return [without_defaults(each) for each in value] if isinstance(value, list) else value


def sent(call: Call) -> dict[str, Any]:
    url = ENDPOINT.url(call.path).removeprefix("https://api.mistral.ai")
    return {"method": call.method, "path": url, "body": without_defaults(json.loads(call.body))}


def expected(case: str) -> dict[str, Any]:
    return {key: without_defaults(value) for key, value in SENT[case].items() if key != "headers"}


@pytest.mark.parametrize("case", CHATS)
def test_a_chat_is_sent_as_the_library_sends_it(case: str) -> None:
    model, fields = CHATS[case]
    call = DIALECT.generate(Ask(endpoint=ENDPOINT, model=model, max_output_tokens=64), saying(**fields))
    assert (sent(call), list(call.translations)) == (expected(case), [])


def test_embeddings_are_sent_as_the_library_sends_them() -> None:
    items = [embed_pb2.EmbedItem(text=each) for each in ("one", "two")]
    call = DIALECT.embed(Ask(endpoint=ENDPOINT, model="mistral-embed"), embed_pb2.EmbedInput(items=items))
    assert sent(call) == expected("embed")
    assert SENT.keys() == CHATS.keys() | {"embed"}


def test_the_credential_is_sent_as_the_library_sends_it() -> None:
    assert ENDPOINT.signer.fixed("") == {"authorization": SENT["hello"]["headers"]["authorization"]}


def test_guardrails_of_the_provider_need_the_operators_word() -> None:
    with pytest.raises(Exception, match="guardrails") as refused:
        DIALECT.generate(Ask(endpoint=ENDPOINT, model="mistral-small"), saying(extras=[extra("guardrails", [{"name": "x"}])]))
    assert getattr(refused.value, "reason_name", "") == "EXTRA_NOT_ALLOWED"


THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13, "prompt_audio_seconds": 3}


def test_thinking_and_seconds_of_sound_are_read_whole_and_streamed() -> None:
    message = {"role": "assistant", "content": [THINKING, {"type": "text", "text": "Done."}]}
    body: dict[str, Any] = {
        "id": "1",
        "model": "magistral-small",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    output = generate_pb2.GenerateOutput()
    DIALECT.output(ENDPOINT, json.dumps(body).encode(), output)
    parts = output.choices[0].message.parts
    assert [(part.reasoning.text, part.text.text) for part in parts] == [("Hm.", ""), ("", "Done.")]
    deltas: tuple[dict[str, Any], ...] = ({"content": [THINKING]}, {"content": "Done."})
    chunks: list[dict[str, Any]] = [
        {"id": "1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    chunks.append({"id": "1", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": USAGE})
    reader, made = DIALECT.reader(ENDPOINT), adapter_pb2.GenerateStreamResponse()
    frames = [(json.dumps(each).encode(), "") for each in chunks]
    reader.feed([*frames, (b"[DONE]", "")], made.events, AttemptMeter(plan_pb2.Attempt(), 0))
    events = [*made.events, *reader.finish()]
    assert "".join(event.reasoning.text for event in events) == "Hm."
    assert "".join(event.text.text for event in events) == "Done."
    usages = [output.usage, *(event.usage for event in events if event.HasField("usage"))]
    assert [(each.input_tokens, each.audio_input_milliseconds) for each in usages] == [(9, 3_000)] * 2
