"""What the dialect of Cohere complains about: answers and streams that have everything, and requests that it cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2, rerank_pb2
from llm_mesh_dialects.cohere import embeddings, requests, reranking, responses
from llm_mesh_dialects.cohere.streams import CohereChatReader
from tests.edge.complaining_bodies import CALL, SPOKEN
from tests.edge.complaint_kinds import Read, TypedRequest, WrittenRequest, saying

SOUND = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
STORED = {"type": "image", "source": {"type": "file", "file_id": "f"}}
CHUNK = {"delta": {"message": {"tool_calls": {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}}}}
COHERE_ANSWER: dict[str, Any] = {
    "id": "i",
    "finish_reason": "COMPLETE",
    "message": {
        "role": "assistant",
        "tool_plan": "x",
        "content": [{"type": "text", "text": "x"}, {"type": "thinking", "thinking": "x"}],
        "tool_calls": [CALL],
        "citations": [{"start": 0, "end": 1, "text": "x"}],
    },
    "usage": {"tokens": {"input_tokens": 1, "output_tokens": 1}, "billed_units": {"input_tokens": 1, "output_tokens": 1}},
}
COHERE_EVENTS: list[Any] = [
    {"type": "message-start", "id": "i", "delta": {"message": {"role": "assistant"}}},
    {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "x"}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "x", "thinking": "x"}}}},
    {"type": "content-end", "index": 0},
    {"type": "tool-call-start", "index": 0, **CHUNK},
    {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": "}"}}}}},
    {"type": "tool-call-end", "index": 0},
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {"input_tokens": 1, "output_tokens": 1}}}},
]


def cohere_answered(body: Any) -> None:
    responses.chat_into_output(generate_pb2.GenerateOutput(), body)


def cohere_streamed(events: list[Any]) -> None:
    reader = CohereChatReader()
    for each in events:
        list(reader.feed(each))


def cohere_vectors(body: Any) -> None:
    embeddings.embed_to_output(body, [b"\0\0\0\0"])


def cohere_ranked(body: Any) -> None:
    documents = [rerank_pb2.RerankDocument(text=each) for each in ("x", "y")]
    reranking.rerank_into_output(body, rerank_pb2.RerankInput(query="x", documents=documents), rerank_pb2.RerankOutput())


def to_cohere(given: generate_pb2.GenerateInput) -> None:
    requests.input_to_chat(given, model="m", stream=False)


WORD, TOKENS = embed_pb2.EmbedItem(text="x"), embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds(ids=[1]))
FILE = content_pb2.Part(file=content_pb2.Media(data=b"x", mime_type="text/plain"))
DOCUMENTED = generate_pb2.GenerateInput(
    model="m",
    messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[FILE])],
    extras=[content_pb2.Extra(dialect="cohere", key="documents", json=b"1")],
)
NOTHING = generate_pb2.GenerateInput(model="m")
NO_ROLE = generate_pb2.GenerateInput(model="m", messages=[content_pb2.Message()])
READ: Mapping[str, tuple[Read, list[Any]]] = {
    "cohere-answer": (cohere_answered, [COHERE_ANSWER]),
    "cohere-vectors": (cohere_vectors, [{"embeddings": {"float": ["#0"]}, "texts": ["x"], "meta": {"billed_units": {"input_tokens": 1}}}]),
    "cohere-ranking": (cohere_ranked, [{"id": "i", "results": [{"index": 1, "relevance_score": 0.5}], "meta": {}}]),
}
STREAMED: Mapping[str, tuple[Read, list[Any]]] = {"cohere-events": (cohere_streamed, COHERE_EVENTS)}
LARGE: Mapping[str, tuple[Read, Any]] = {
    "a-document-twice": (cohere_ranked, {"results": [{"index": 1, "relevance_score": 0.5}] * 2}),
    "arguments-of-no-call": (cohere_streamed, [{"type": "tool-call-delta", "index": 7, **CHUNK}]),
}
WRITTEN: Mapping[str, WrittenRequest] = {
    "cohere-sound": ("openai", {"messages": [saying(SOUND)]}, to_cohere),
    "cohere-stored": ("anthropic", {"messages": [saying(STORED)]}, to_cohere),
    "cohere-picture": ("openai", {"messages": [{"role": "system", "content": [PICTURE]}, SPOKEN]}, to_cohere),
    "cohere-call": ("openai", {"messages": [SPOKEN, {"role": "assistant", "tool_calls": [CALL | {"id": ""}]}]}, to_cohere),
}
NO_ID = content_pb2.Part(tool_result=content_pb2.ToolResult(parts=[content_pb2.Part(text=content_pb2.Text(text="x"))]))
UNNAMED_RESULT = generate_pb2.GenerateInput(model="m", messages=[content_pb2.Message(role=content_pb2.ROLE_TOOL, parts=[NO_ID])])
TYPED: Mapping[str, TypedRequest] = {
    "cohere-nothing": (NOTHING, to_cohere),
    "cohere-role": (NO_ROLE, to_cohere),
    "cohere-result": (UNNAMED_RESULT, to_cohere),
    "cohere-documents": (DOCUMENTED, to_cohere),
    "cohere-tokens": (embed_pb2.EmbedInput(model="m", items=[TOKENS]), partial(embeddings.input_to_embed, model="m")),
    "cohere-many": (embed_pb2.EmbedInput(model="m", items=[WORD] * 97), partial(embeddings.input_to_embed, model="m")),
}
