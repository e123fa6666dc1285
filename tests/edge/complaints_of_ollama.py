"""What the dialect of Ollama complains about: answers that have everything, and requests that it cannot say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_dialects.ollama import embeddings, requests, responses
from llm_mesh_dialects.vector_lists import VectorLists
from tests.edge.complaining_bodies import TOP
from tests.edge.complaint_kinds import Read, TypedRequest, WrittenRequest, saying

SOUND = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
ADDRESS = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
OLLAMA_ANSWER: dict[str, Any] = {
    "model": "m",
    "created_at": "2026-11-30T00:00:00Z",
    "message": {"role": "assistant", "content": "x", "thinking": "x", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]},
    "logprobs": [TOP],
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 1,
    "eval_count": 1,
}


def ollama_answered(body: Any) -> None:
    responses.chat_into_output(generate_pb2.GenerateOutput(), body)


def ollama_vectors(body: Any) -> None:
    embeddings.embed_to_output(body, [b"\0\0\0\0"])


def listed(text: bytes) -> None:
    VectorLists(lambda raw: raw, 2, ("embeddings",)).feed(text, lambda: None)


def to_ollama(given: generate_pb2.GenerateInput) -> None:
    requests.input_to_chat(given, model="m", stream=False)


TOKENS = embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds(ids=[1]))
SAID = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text="x"))])
OPTIONS = content_pb2.Extra(dialect="ollama", key="options", json=b"1")
CHOSEN = generate_pb2.GenerateInput(model="m", messages=[SAID], extras=[OPTIONS])
NOTHING = generate_pb2.GenerateInput(model="m")
NO_ROLE = generate_pb2.GenerateInput(model="m", messages=[content_pb2.Message()])
READ: Mapping[str, tuple[Read, list[Any]]] = {
    "ollama-answer": (ollama_answered, [OLLAMA_ANSWER]),
    "ollama-vectors": (ollama_vectors, [{"model": "m", "embeddings": ["#0"], "prompt_eval_count": 1}]),
}
TEXTS: Mapping[str, Callable[[], object]] = {"ollama-list": partial(listed, b'{"embeddings":[1')}
WRITTEN: Mapping[str, WrittenRequest] = {
    "ollama-sound": ("openai", {"messages": [saying(SOUND)]}, to_ollama),
    "ollama-address": ("openai", {"messages": [saying(ADDRESS)]}, to_ollama),
}
TYPED: Mapping[str, TypedRequest] = {
    "ollama-nothing": (NOTHING, to_ollama),
    "ollama-role": (NO_ROLE, to_ollama),
    "ollama-options": (CHOSEN, to_ollama),
    "ollama-tokens": (embed_pb2.EmbedInput(model="m", items=[TOKENS]), partial(embeddings.input_to_embed, model="m")),
}
