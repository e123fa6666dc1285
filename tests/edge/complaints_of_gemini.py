"""What the Gemini dialect complains about: requests and answers that have everything, and requests that it cannot say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE
from llm_mesh_dialects.gemini import embedding_requests, embeddings, requests, responses
from llm_mesh_dialects.gemini.quirks import NEWEST
from llm_mesh_dialects.gemini.streams import EventFrames, GeminiChunkReader, GeminiChunkWriter
from tests.edge import google_bodies as bodies
from tests.edge.complaint_kinds import Read, TypedRequest, WrittenRequest

COUNTS: dict[str, Any] = {"promptTokenCount": 1, "candidatesTokenCount": 1, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1}]}
LOGPROBS = {
    "chosenCandidates": [{"token": "x", "logProbability": -0.5}],
    "topCandidates": [{"candidates": [{"token": "x", "logProbability": -0.5}]}],
}
PARTS: list[dict[str, Any]] = [
    {"text": "x", "thought": True, "thoughtSignature": "s"},
    {"text": "x", "thoughtSignature": "s"},
    {"functionCall": {"id": "c", "name": "f", "args": {}}},
    {"inlineData": {"mimeType": "image/png", "data": "aGk=", "displayName": "x"}},
]


def answer(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"parts": list(parts), "role": "model"}, **more}
    return {"candidates": [candidate], "usageMetadata": COUNTS, "modelVersion": "m", "responseId": "r"}


def piece(path: str, **value: Any) -> dict[str, Any]:
    return answer({"functionCall": {"partialArgs": [{"jsonPath": path, **value}], "willContinue": True}})


BEGUN = answer({"functionCall": {"name": "f", "willContinue": True}})
ENDED = answer(*PARTS[1:2], logprobsResult=LOGPROBS, finishReason="STOP")
STREAM = [
    BEGUN,
    piece("$.a", stringValue="x"),
    piece("$.b[0]", numberValue=1),
    piece("$.c", boolValue=True),
    answer(*PARTS),
    ENDED,
]
OVERWRITTEN = [BEGUN, piece("$.a[0]", stringValue="x"), piece("$.a", numberValue=1), ENDED]
"""A text at a place that is none any more when the call ends."""
HUGE = [BEGUN, piece("$.a", numberValue=10**400), ENDED]
PLACES = [BEGUN, *[piece(f"$.a{number}" + "[9999]" * 6, nullValue="NULL_VALUE") for number in range(2)], ENDED]
"""Few bytes that make more places than a call may have."""
CANDIDATES = [{**BEGUN, "candidates": [{**BEGUN["candidates"][0], "index": number} for number in range(129)]}]
MANY = [BEGUN, *[piece("$.a", stringValue="x" * 2**20)] * 4, ENDED]


def gemini_answered(body: Any) -> None:
    responses.body_into_output(generate_pb2.GenerateOutput(), body)


def gemini_chunks(read: list[Any]) -> None:
    reader = GeminiChunkReader()
    for each in read:
        reader.feed(each)


def google_asked(body: Any) -> None:
    requests.body_into_input(generate_pb2.GenerateInput(), body, model="m")


def google_wrote_much() -> None:
    writer, event = GeminiChunkWriter(EventFrames(), shows_thoughts=False), generate_pb2.StreamEvent
    piece = event(tool_call=generate_pb2.ToolCallDelta(arguments_json="x" * 2**20))
    writer.write_all([event(tool_call_started=generate_pb2.ToolCallStarted(name="f")), *[piece] * 9])


def gemini_vectors(body: Any) -> None:
    embeddings.body_to_output(body, [b"\0\0\0\0"])


def to_gemini(given: generate_pb2.GenerateInput) -> None:
    requests.input_to_body(given, NEWEST, allowance=NOTHING_MORE)


def typed(*parts: content_pb2.Part, **more: Any) -> generate_pb2.GenerateInput:
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=parts)
    return generate_pb2.GenerateInput(model="m", messages=[message], **more)


def opaque(json: bytes) -> content_pb2.Part:
    return content_pb2.Part(opaque=content_pb2.OpaquePart(dialect="gemini", type="x", json=json))


TEXT = content_pb2.Part(text=content_pb2.Text(text="x"))
TOKENS = embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds(ids=[1]))
ELSEWHERE = content_pb2.Part(file=content_pb2.Media(file_id="https://10.0.0.1/a", mime_type="image/png"))
PRIVATE = content_pb2.Part(image=content_pb2.Media(uri="https://10.0.0.1/a.png", mime_type="image/png"))
CALL: dict[str, Any] = {"role": "tool", "tool_call_id": "unknown", "content": "x"}
FOREIGN = content_pb2.Part(opaque=content_pb2.OpaquePart(dialect="anthropic", type="x", json=b"{}"))

READ: Mapping[str, tuple[Read, list[Any]]] = {
    "google-request": (google_asked, [bodies.GENERATE]),
    "google-count": (partial(requests.count_to_input, model="m"), [bodies.COUNTED]),
    "google-embedding": (partial(embedding_requests.single_to_input, model="m"), [bodies.SINGLE]),
    "google-embeddings": (partial(embedding_requests.batch_to_input, model="m"), [bodies.BATCH]),
    "gemini-answer": (gemini_answered, [answer(*PARTS, logprobsResult=LOGPROBS, finishReason="STOP")]),
    "gemini-vectors": (
        gemini_vectors,
        [
            {"embeddings": [{"values": "#0"}], "usageMetadata": COUNTS},
            {"embedding": {"values": "#0"}},
            {"predictions": [{"embeddings": {"values": "#0", "statistics": {"token_count": 1}}}]},
        ],
    ),
}
STREAMED: Mapping[str, tuple[Read, list[Any]]] = {"gemini-chunks": (gemini_chunks, STREAM)}
LARGE: Mapping[str, tuple[Read, Any]] = {
    "google-parts": (google_asked, bodies.PARTS),
    "google-contents": (google_asked, bodies.CONTENTS),
    "google-kinds": (google_asked, bodies.TWO_KINDS),
    "google-schemas": (google_asked, bodies.TWO_SCHEMAS),
    "google-parameters": (google_asked, bodies.TWO_PARAMETERS),
    "google-spellings": (google_asked, bodies.TWO_SPELLINGS),
    "google-requests": (partial(requests.count_to_input, model="m"), bodies.TWO_REQUESTS),
    "google-deep": (google_asked, bodies.DEEP),
    "google-tools": (google_asked, bodies.TOOLS),
    "google-snake": (google_asked, bodies.SNAKE),
    "gemini-overwritten": (gemini_chunks, OVERWRITTEN),
    "gemini-many": (gemini_chunks, MANY),
    "gemini-huge": (gemini_chunks, HUGE),
    "gemini-places": (gemini_chunks, PLACES),
    "gemini-candidates": (gemini_chunks, CANDIDATES),
}
TEXTS: Mapping[str, Callable[[], object]] = {"google-calls": google_wrote_much}
WRITTEN: Mapping[str, WrittenRequest] = {
    "gemini-result": ("openai", {"messages": [{"role": "user", "content": "x"}, CALL]}, to_gemini),
}
TYPED: Mapping[str, TypedRequest] = {
    "gemini-nothing": (typed(), to_gemini),
    "gemini-lost": (typed(FOREIGN), to_gemini),
    "gemini-file": (typed(ELSEWHERE), to_gemini),
    "gemini-address": (typed(PRIVATE), to_gemini),
    "gemini-part": (typed(opaque(b"[]")), to_gemini),
    "gemini-modelled": (typed(opaque(b'{"text":"x"}')), to_gemini),
    "gemini-nested": (typed(opaque(b'{"toolResponse":{"fileData":{"fileUri":1}}}')), to_gemini),
    "gemini-images": (typed(TEXT, modalities=["image"]), to_gemini),
    "gemini-tokens": (embed_pb2.EmbedInput(model="m", items=[TOKENS]), partial(embeddings.input_to_batch, model="m")),
}
