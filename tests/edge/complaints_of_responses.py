"""What OpenAI's Responses complain about: answers and streams that have everything, and requests that they cannot say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects import responses
from llm_mesh_dialects.allowing import NOTHING_MORE
from llm_mesh_dialects.proofs import ProofOrigin
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.http.responses.create import ResponsesDialect
from tests.edge.complaining_bodies import TEXT
from tests.edge.complaint_kinds import Read, TypedRequest, WrittenRequest, saying

USAGE = {"input_tokens": 1, "output_tokens": 1, "input_tokens_details": {"cached_tokens": 0}}
LOGPROB = {"token": "x", "logprob": -1.0, "bytes": [1], "top_logprobs": []}
ANSWER: dict[str, Any] = {
    "id": "r",
    "object": "response",
    "model": "m",
    "status": "completed",
    "output": [
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "x"}], "encrypted_content": "e"},
        {"type": "message", "id": "msg", "role": "assistant", "content": [
            {"type": "output_text", "text": "x", "annotations": [{"type": "url_citation"}], "logprobs": [LOGPROB]},
            {"type": "refusal", "refusal": "x"},
            {"type": "other"},
        ]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "compaction", "id": "x"},
    ],
    "usage": USAGE,
}  # fmt: skip
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
EVENTS: list[Any] = [
    {"type": "response.created", "response": {"id": "r"}},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "msg"}},
    {"type": "response.output_text.delta", "delta": "x", "logprobs": [LOGPROB]},
    {"type": "response.refusal.delta", "delta": "x"},
    {"type": "response.content_part.done", "part": {"type": "other"}},
    {"type": "response.output_item.done", "output_index": 0, "item": {"type": "message"}},
    {"type": "response.output_item.added", "output_index": 1, "item": CALL},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{}"},
    {"type": "response.output_item.done", "output_index": 1, "item": CALL},
    {"type": "response.completed", "response": {"id": "r", "usage": USAGE}},
]
ORIGIN = ProofOrigin("responses", b"a key")
PICTURE = "data:image/png;base64,aGk="
ASKED: dict[str, Any] = {
    "model": "m",
    "instructions": "x",
    "input": [
        {"role": "developer", "content": "x"},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "x"},
                {"type": "input_image", "image_url": PICTURE, "detail": "low"},
                {"type": "input_image", "image_url": "https://example.com/a.png"},
                {"type": "input_image", "file_id": "f"},
                {"type": "input_file", "file_data": "data:application/pdf;base64,aGk=", "filename": "n"},
                {"type": "input_file", "file_url": "https://example.com/a.pdf"},
                {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
                {"type": "other"},
            ],
        },
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "x"}], "encrypted_content": "redacted:aGk="},
        {
            "type": "message",
            "id": "msg",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "x", "annotations": [{"type": "url_citation"}], "logprobs": []},
                {"type": "refusal", "refusal": "x"},
            ],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "x"}]},
        {"type": "custom_tool_call", "call_id": "d", "name": "g", "input": "x"},
    ],
    "tools": [
        {"type": "function", "name": "f", "description": "d", "strict": True, "parameters": {"type": "object"}},
        {"type": "custom", "name": "g"},
    ],
    "tool_choice": {"type": "function", "name": "f"},
    "parallel_tool_calls": True,
    "text": {
        "format": {"type": "json_schema", "name": "s", "description": "d", "strict": True, "schema": {"type": "object"}},
        "verbosity": "low",
    },
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["message.output_text.logprobs", "reasoning.encrypted_content", "file_search_call.results"],
    "top_logprobs": 1,
    "max_output_tokens": 5,
    "temperature": 1,
    "top_p": 1,
    "safety_identifier": "u",
    "prompt_cache_key": "k",
    "store": False,
    "stream": False,
    "metadata": {"a": "b"},
}
ALLOWED = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}
ASKINGS = [
    ASKED,
    {"model": "m", "input": "x", "tool_choice": ALLOWED, "text": {"format": {"type": "json_object"}}, "user": "u"},
    {
        "model": "m",
        "input": [{"role": "user", "content": "x"}],
        "background": False,
        "tool_choice": "auto",
        "text": {"format": {"type": "text"}},
    },
]


def passed_on(kind: str, json: bytes) -> generate_pb2.StreamEvent:
    return generate_pb2.StreamEvent(opaque=content_pb2.OpaquePart(dialect="responses", type=kind, json=json))


SPEAKING, GOING_ON = (
    generate_pb2.StreamEvent(audio=generate_pb2.AudioDelta(data=b"x")),
    generate_pb2.StreamEvent(tool_call=generate_pb2.ToolCallDelta(index=3, arguments_json="{}")),
)


def asked(body: Any) -> None:
    if isinstance(body, dict):
        ResponsesDialect().read(body, Headers([]), generate_pb2.GenerateInput())


def written(event: generate_pb2.StreamEvent) -> None:
    writer = responses.ResponseWriter(generate_pb2.GenerateInput(model="m"), responses.ResponseFacts("resp_1", 1))
    writer.write([event])


def answered(body: Any) -> None:
    responses.answers.body_into_output(generate_pb2.GenerateOutput(), body)


def streamed(events: list[Any]) -> None:
    reader = responses.streams.ResponseEventReader()
    for each in events:
        reader.feed(each)


def to_responses(given: generate_pb2.GenerateInput) -> None:
    responses.requests.input_to_body(given, model="m", stream=False, origin=ORIGIN, allowance=NOTHING_MORE)


def thought(proof: str) -> generate_pb2.GenerateInput:
    part = content_pb2.Part(reasoning=content_pb2.Reasoning(signature=ORIGIN.marked(f"r:{proof}")))
    return generate_pb2.GenerateInput(model="m", messages=[content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[part])])


READ: Mapping[str, tuple[Read, list[Any]]] = {
    "responses-answer": (answered, [ANSWER]),
    "responses-request": (asked, ASKINGS),
}
STREAMED: Mapping[str, tuple[Read, list[Any]]] = {"responses-events": (streamed, EVENTS)}
LARGE: Mapping[str, tuple[Read, Any]] = {
    "responses-items": (asked, {"model": "m", "input": [{"role": "user", "content": "x"}] * 4097}),
    "responses-parts": (asked, {"model": "m", "input": [{"role": "user", "content": [TEXT] * 16385}]}),
    "responses-reference": (asked, {"model": "m", "input": [{"type": "item_reference", "id": "msg_1"}]}),
    "responses-stored": (asked, {"model": "m", "input": "x", "store": True}),
    "responses-of-no-call": (streamed, [{"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "{"}]),
}
WRITTEN: Mapping[str, WrittenRequest] = {
    "responses-no-content": ("openai", {"messages": [saying(TEXT | {"text": ""})]}, to_responses),
}
TEXTS: Mapping[str, Callable[[], object]] = {
    "responses-of-no-call-to-a-client": partial(written, GOING_ON),
    "responses-with-sound": partial(written, SPEAKING),
    "responses-of-no-object": partial(written, passed_on("response.output_item.added", b"[]")),
    "responses-of-no-item": partial(written, passed_on("response.output_item.added", b"{}")),
}
TYPED: Mapping[str, TypedRequest] = {
    "responses-no-proof": (thought("{}"), to_responses),
    "responses-no-json": (thought("x"), partial(to_responses)),
}
