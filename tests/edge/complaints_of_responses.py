"""What OpenAI's Responses complain about: answers and streams that have everything, and requests that they cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects import responses
from llm_mesh_dialects.allowing import NOTHING_MORE
from llm_mesh_dialects.proofs import ProofOrigin
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


READ: Mapping[str, tuple[Read, list[Any]]] = {"responses-answer": (answered, [ANSWER])}
STREAMED: Mapping[str, tuple[Read, list[Any]]] = {"responses-events": (streamed, EVENTS)}
LARGE: Mapping[str, tuple[Read, Any]] = {
    "responses-of-no-call": (streamed, [{"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "{"}]),
}
WRITTEN: Mapping[str, WrittenRequest] = {
    "responses-no-content": ("openai", {"messages": [saying(TEXT | {"text": ""})]}, to_responses),
}
TYPED: Mapping[str, TypedRequest] = {
    "responses-no-proof": (thought("{}"), to_responses),
    "responses-no-json": (thought("x"), partial(to_responses)),
}
