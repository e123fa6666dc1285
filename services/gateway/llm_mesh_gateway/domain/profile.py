"""What the router is told of a request: bounds and needs, never the words.

`input_bytes` is the strict bound of the input's tokens, since no token is shorter than a byte: UTF-8 bytes of everything that the
model reads, plus 16 per message, tool or schema for the template around it. Images have tokens of their own and are told apart;
sound and documents in the request count with all their bytes. What a provider fetches by itself cannot be bounded here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.router.v1 import router_pb2

_PER_UNIT = 16
_BYTES_PER_TOKEN = 4
_BLOCK = 1024
_MAX_BLOCKS = 16


def profile_of_generation(request: generate_pb2.GenerateInput, *, session: str, exact: bool, streamed: bool) -> router_pb2.RequestProfile:
    """The profile of a generation, after rendering."""
    reading = _Reading()
    for tool in request.tools:
        reading.tool(tool)
    for message in request.messages:
        reading.message(message)
    if request.HasField("response_format") and request.response_format.HasField("json_schema"):
        schema = request.response_format.json_schema
        reading.unit(schema.name, schema.description, schema.schema_json)
    if request.extras:
        reading.extras(request.extras)
    size = reading.bytes
    profile = router_pb2.RequestProfile(
        input_bytes=size,
        estimated_input_tokens=-(-size // _BYTES_PER_TOKEN),
        max_output_tokens=request.max_output_tokens,
        input_modalities=sorted(reading.modalities),
        capabilities=_needs(request, streamed=streamed),
        candidate_count=request.candidate_count,
        prefix_hashes=_prefix_hashes(request) if size >= _BLOCK else (),
        session=session,
        images=reading.images,
        messages=len(request.messages),
        source_dialect=request.source_dialect,
        exact=exact,
    )
    if request.modalities:
        profile.output_modalities.extend(request.modalities)
    return profile


def profile_of_embedding(request: embed_pb2.EmbedInput, *, session: str, exact: bool) -> router_pb2.RequestProfile:
    """The profile of an embedding. An item of tokens has as many tokens as it says."""
    total = sum(_PER_UNIT + (_size(item.text) if item.WhichOneof("kind") == "text" else len(item.tokens.ids)) for item in request.items)
    return router_pb2.RequestProfile(
        input_bytes=total,
        estimated_input_tokens=-(-total // _BYTES_PER_TOKEN),
        input_modalities=["text"],
        capabilities=["embeddings"],
        session=session,
        messages=len(request.items),
        source_dialect=request.source_dialect,
        exact=exact,
    )


def _needs(request: generate_pb2.GenerateInput, *, streamed: bool) -> list[str]:
    needs = ["streaming"] if streamed else []
    if request.tools:
        needs.append("tools")
        if request.parallel_tool_calls:
            needs.append("parallel_tool_calls")
    form = request.response_format.WhichOneof("kind") if request.HasField("response_format") else None
    if form is not None:
        needs.append(form)
    if request.HasField("logprobs"):
        needs.append("logprobs")
    if request.HasField("reasoning") and request.reasoning.effort != "none":
        needs.append("reasoning")
    return needs


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


class _Reading:
    """Walks a request once."""

    __slots__ = ("bytes", "images", "modalities")

    def __init__(self) -> None:
        self.bytes = 0
        self.images = 0
        self.modalities: set[str] = set()

    def unit(self, *texts: str) -> None:
        self.bytes += _PER_UNIT + sum(map(_size, texts))

    def extras(self, extras: Iterable[content_pb2.Extra]) -> None:
        for extra in extras:
            self.bytes += len(extra.key) + len(extra.json)

    def tool(self, tool: content_pb2.Tool) -> None:
        if tool.WhichOneof("kind") == "function":
            function = tool.function
            self.unit(function.name, function.description, function.parameters_json)
        else:
            self.unit(tool.opaque.type)
            self.bytes += len(tool.opaque.json)
        self.extras(tool.extras)

    def message(self, message: content_pb2.Message) -> None:
        self.bytes += _PER_UNIT + _size(message.name)
        self.parts(message.parts)
        if message.extras:
            self.extras(message.extras)

    def parts(self, parts: Iterable[content_pb2.Part]) -> None:
        for part in parts:
            kind = part.WhichOneof("kind")
            if kind == "text":
                self.modalities.add("text")
                self.bytes += _size(part.text.text)
            else:
                self.part(part, kind)
            if part.extras:
                self.extras(part.extras)

    def part(self, part: content_pb2.Part, kind: str | None) -> None:
        if kind == "image":
            self.modalities.add("image")
            self.images += 1
        elif kind in {"audio", "file"}:
            media = part.audio if kind == "audio" else part.file
            self.modalities.add(kind)
            self.bytes += len(media.data) + _size(media.filename) + _size(media.transcript)
        elif kind == "tool_call":
            call = part.tool_call
            self.unit(call.id, call.name, call.arguments_json)
        elif kind == "tool_result":
            self.unit(part.tool_result.tool_call_id)
            self.parts(part.tool_result.parts)
        elif kind == "reasoning":
            reasoning = part.reasoning
            self.bytes += _size(reasoning.text) + len(reasoning.signature) + len(reasoning.redacted)
        elif kind == "refusal":
            self.bytes += _size(part.refusal.text)
        elif kind == "opaque":
            self.bytes += len(part.opaque.json)


def _prefix_hashes(request: generate_pb2.GenerateInput) -> list[int]:
    """Hashes of the first 1, 2, … KiB of what the model reads, longest first, so that the router may find a warm prefix cache."""
    parts, size = [], 0
    for part in (*request.tools, *request.messages):
        raw = part.SerializeToString(deterministic=True)
        parts.append(raw)
        size += len(raw)
        if size >= _MAX_BLOCKS * _BLOCK:
            break
    prefix, digest, hashes = b"".join(parts), hashlib.blake2b(digest_size=8), []
    for begin in range(0, min(size, _MAX_BLOCKS * _BLOCK) - _BLOCK + 1, _BLOCK):
        digest.update(prefix[begin : begin + _BLOCK])
        hashes.append(int.from_bytes(digest.digest(), "big"))
    return hashes[::-1]
