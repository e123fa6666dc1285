"""What the dialect of Amazon Bedrock complains about: answers and streams that have everything, and requests that it cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_dialects import bedrock
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields
from tests.edge.complaining_bodies import CALL, SPOKEN, TEXT
from tests.edge.complaint_kinds import Read, TypedRequest, WrittenRequest, saying

CLAUDE = "anthropic.claude-opus-4-20250514-v1:0"
FIGURES = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
ANSWER: dict[str, Any] = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"text": "x"},
                {"toolUse": {"toolUseId": "c", "name": "f", "input": {}}},
                {"reasoningContent": {"reasoningText": {"text": "x", "signature": "s"}}},
                {"reasoningContent": {"redactedContent": "aGk="}},
                {"citationsContent": {"content": [{"text": "x"}], "citations": [{"title": "t"}]}},
                {"image": {"format": "png", "source": {"bytes": "aGk="}}},
            ],
        }
    },
    "stopReason": "end_turn",
    "usage": FIGURES,
    "trace": {"promptRouter": {"invokedModelId": "m"}},
}
EVENTS: list[Any] = [
    {"messageStart": {"role": "assistant", "p": "ab"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "x"}}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"reasoningContent": {"text": "x"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"reasoningContent": {"redactedContent": "aGk="}}}},
    {"contentBlockStart": {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "c", "name": "f"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"toolUse": {"input": "{}"}}}},
    {"contentBlockStop": {"contentBlockIndex": 2}},
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": FIGURES}},
]


def answered(body: Any) -> None:
    bedrock.responses.converse_into_output(generate_pb2.GenerateOutput(), Fields(body))


def invoked(body: Any) -> None:
    bedrock.embeddings.InvokedAnswer(Fields(body))


def streamed(events: list[Any]) -> None:
    """Each event stands under its kind, as the frame's header names it."""
    reader = bedrock.streams.ConverseReader()
    for each in events:
        if isinstance(each, dict) and len(each) == 1:
            kind, event = next(iter(each.items()))
            try:
                reader.feed(event, kind)
            except DialectError as error:
                raise DialectError(f"{kind}.{error.field}" if error.field else kind, error.expected) from None


def to_converse(given: generate_pb2.GenerateInput) -> None:
    bedrock.requests.input_to_converse(given, model=CLAUDE)


def embedding(model: str, *items: embed_pb2.EmbedItem) -> TypedRequest:
    return embed_pb2.EmbedInput(model="m", items=items), partial(bedrock.embeddings.input_to_body, model=model)


WORD, TOKENS = embed_pb2.EmbedItem(text="x"), embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds(ids=[1]))
OWN = content_pb2.Part(opaque=content_pb2.OpaquePart(dialect="bedrock", type="x", json=b"[]"))
NESTED = content_pb2.Part(
    opaque=content_pb2.OpaquePart(dialect="bedrock", type="x", json=b'{"toolResult":{"content":[{"text":"x","s3Location":{"uri":1}}]}}')
)
SOUND = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "odd"}}
READ: Mapping[str, tuple[Read, list[Any]]] = {
    "bedrock-answer": (answered, [ANSWER]),
    "bedrock-vectors": (invoked, [{"embedding": [1.5]}, {"embeddings": [[1.5]]}, {"embeddings": {"float": [[1.5]]}}]),
}
STREAMED: Mapping[str, tuple[Read, list[Any]]] = {
    "bedrock-events": (streamed, EVENTS),
    "bedrock-ends": (streamed, [{"messageStop": {"stopReason": "end_turn"}}, {"metadata": {}}]),
}
LARGE: Mapping[str, tuple[Read, Any]] = {
    "two-ends": (streamed, [{"messageStop": {"stopReason": "end_turn"}}] * 2),
    "input-of-no-call": (streamed, [{"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"toolUse": {"input": "{"}}}}]),
}
WRITTEN: Mapping[str, WrittenRequest] = {
    "bedrock-picture": (
        "openai",
        {"messages": [saying({"type": "image_url", "image_url": {"url": "data:image/tiff;base64,aGk="}})]},
        to_converse,
    ),
    "bedrock-address": ("openai", {"messages": [saying({"type": "image_url", "image_url": {"url": "https://a.b/c.png"}})]}, to_converse),
    "bedrock-bucket": ("openai", {"messages": [saying({"type": "image_url", "image_url": {"url": "s3://b/c.png"}})]}, to_converse),
    "bedrock-sound": ("openai", {"messages": [saying(SOUND)]}, to_converse),
    "bedrock-call": ("openai", {"messages": [SPOKEN, {"role": "assistant", "tool_calls": [CALL | {"id": ""}]}]}, to_converse),
    "bedrock-no-content": ("openai", {"messages": [saying(TEXT | {"text": ""})]}, to_converse),
    "bedrock-lost": ("anthropic", {"messages": [saying({"type": "container_upload", "file_id": "f"})]}, to_converse),
}
TYPED: Mapping[str, TypedRequest] = {
    "bedrock-own": (
        generate_pb2.GenerateInput(model="m", messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[OWN])]),
        to_converse,
    ),
    "bedrock-nested": (
        generate_pb2.GenerateInput(model="m", messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[NESTED])]),
        to_converse,
    ),
    "bedrock-tokens": embedding("amazon.titan-embed-text-v2:0", TOKENS),
    "bedrock-two": embedding("amazon.titan-embed-text-v2:0", WORD, WORD),
    "bedrock-many": embedding("cohere.embed-v4:0", *[WORD] * 97),
    "bedrock-model": embedding("other.embed", WORD),
}
