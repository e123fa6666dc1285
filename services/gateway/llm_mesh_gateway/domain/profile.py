"""What the router is told of a request: bounds and needs, never the words.

`input_bytes` is the strict bound of the input's tokens, since no token is shorter than a byte: UTF-8 bytes of everything that the
model reads, plus 16 per message, tool or schema for the template around it. Images have tokens of their own and are told apart;
sound and documents in the request count with all their bytes. What a provider fetches by itself cannot be bounded here: such references
are counted by their kind, and the model's table bounds them.

Loops go over slices, and nowhere over what is empty: a loop over a repeated field itself ends with an exception that has a text.
"""

from __future__ import annotations

from collections.abc import Iterable

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_figures.texts import text_size, tokens_of
from llm_mesh_gateway.domain.references import is_callers_tool, refers

_PER_UNIT = 16


def profile_generation(
    profile: router_pb2.RequestProfile, request: generate_pb2.GenerateInput, *, session: str, exact: bool, streamed: bool
) -> None:
    """Writes the profile of a generation, after rendering. What is not there is not written: nearly all requests have little."""
    reading = InputReading()
    reading.request(request)
    size = profile.input_bytes = reading.bytes
    profile.estimated_input_tokens = tokens_of(size)
    profile.messages = len(request.messages)
    profile.source_dialect = request.source_dialect
    profile.input_modalities.extend(sorted(reading.modalities))
    if needs := _needs(request, streamed=streamed):
        profile.capabilities.extend(needs)
    _limits(profile, request)
    if session:
        profile.session = session
    if reading.images:
        profile.images = reading.images
    if reading.audio_references or reading.file_references or reading.unbounded_references:
        profile.audio_references = reading.audio_references
        profile.file_references = reading.file_references
        profile.unbounded_references = reading.unbounded_references
    if exact:
        profile.exact = True
    if request.modalities:
        profile.output_modalities.extend(request.modalities)


def _limits(profile: router_pb2.RequestProfile, request: generate_pb2.GenerateInput) -> None:
    if request.max_output_tokens:
        profile.max_output_tokens = request.max_output_tokens
    if request.candidate_count:
        profile.candidate_count = request.candidate_count


def profile_embedding(profile: router_pb2.RequestProfile, request: embed_pb2.EmbedInput, *, session: str, exact: bool) -> None:
    """Writes the profile of an embedding. An item of tokens has as many tokens as it says."""
    texts = [item.text for item in request.items if item.WhichOneof("kind") == "text"]
    text = sum(_PER_UNIT + text_size(each) for each in texts)
    tokens = sum(len(item.tokens.ids) for item in request.items if item.WhichOneof("kind") == "tokens")
    profile.input_bytes = text + tokens + _PER_UNIT * (len(request.items) - len(texts))
    profile.estimated_input_tokens = tokens_of(text) + tokens
    profile.input_modalities.append("text")
    profile.capabilities.append("embeddings")
    profile.session = session
    profile.messages = len(request.items)
    profile.source_dialect = request.source_dialect
    profile.exact = exact


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


class InputReading:
    """Walks a request once."""

    __slots__ = ("audio_references", "bytes", "file_references", "images", "modalities", "unbounded_references")

    def __init__(self) -> None:
        self.bytes = 0
        self.images = 0
        self.audio_references = 0
        self.file_references = 0
        self.unbounded_references = 0
        self.modalities: set[str] = set()

    def request(self, request: generate_pb2.GenerateInput) -> None:
        if tools := request.tools:
            for tool in tools:
                self.tool(tool)
        for message in request.messages[:]:
            self.message(message)
        if request.HasField("response_format") and request.response_format.HasField("json_schema"):
            schema = request.response_format.json_schema
            self.unit(schema.name, schema.description, schema.schema_json)
        if extras := request.extras:
            self.extras(extras)

    def unit(self, *texts: str) -> None:
        self.bytes += _PER_UNIT + sum(map(text_size, texts))

    def extras(self, extras: Iterable[content_pb2.Extra]) -> None:
        for extra in extras:
            self.bytes += len(extra.key) + len(extra.json)
            if refers(extra.key, extra.json):
                self.unbounded_references += 1

    def tool(self, tool: content_pb2.Tool) -> None:
        if tool.WhichOneof("kind") == "function":
            function = tool.function
            self.unit(function.name, function.description, function.parameters_json)
        else:
            self.unit(tool.opaque.type)
            self.bytes += len(tool.opaque.json)
            if not is_callers_tool(tool.opaque.type):
                self.unbounded_references += 1
        self.extras(tool.extras)

    def message(self, message: content_pb2.Message) -> None:
        name = message.name
        self.bytes += _PER_UNIT + text_size(name) if name else _PER_UNIT
        self.parts(message.parts[:])
        if extras := message.extras:
            self.extras(extras)

    def parts(self, parts: Iterable[content_pb2.Part]) -> None:
        for part in parts:
            kind = part.WhichOneof("kind")
            if kind == "text":
                self.modalities.add("text")
                text = part.text.text
                self.bytes += text_size(text)
            else:
                self.part(part, kind)
            if extras := part.extras:
                self.extras(extras)

    def media(self, media: content_pb2.Media, kind: str) -> None:
        """Sound and documents by reference. A `data:` URI is no reference: all of it is in the request."""
        if media.uri.startswith("data:"):
            self.bytes += len(media.uri)
        elif not media.HasField("data"):
            if kind == "audio":
                self.audio_references += 1
            else:
                self.file_references += 1

    def part(self, part: content_pb2.Part, kind: str | None) -> None:
        if kind == "image":
            self.modalities.add("image")
            self.images += 1
        elif kind in {"audio", "file"}:
            media = part.audio if kind == "audio" else part.file
            self.modalities.add(kind)
            self.bytes += len(media.data) + text_size(media.filename) + text_size(media.transcript)
            self.media(media, kind)
        elif kind == "tool_call":
            call = part.tool_call
            self.unit(call.id, call.name, call.arguments_json)
        elif kind == "tool_result":
            self.unit(part.tool_result.tool_call_id)
            self.parts(part.tool_result.parts)
        elif kind == "reasoning":
            reasoning = part.reasoning
            self.bytes += text_size(reasoning.text) + len(reasoning.signature) + len(reasoning.redacted)
        elif kind == "refusal":
            self.bytes += text_size(part.refusal.text)
        elif kind == "opaque":
            self.bytes += len(part.opaque.json)
            if refers(part.opaque.type, part.opaque.json):
                self.unbounded_references += 1
