"""The kit's `Dialect` port over the pure translators."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import orjson

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call, StreamReader, VectorReader
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, malformed, unreachable, unsupported
from llm_mesh_adapter_kit.framing import Framing
from llm_mesh_adapter_kit.sse import SSE
from llm_mesh_adapter_openai.provider.bodies import answered_by, understood
from llm_mesh_adapter_openai.provider.failures import of_answer
from llm_mesh_adapter_openai.provider.reader import OpenAIReader
from llm_mesh_adapter_openai.provider.responses import call_of, count_of, speaks_responses
from llm_mesh_adapter_openai.provider.rows import GENERIC, OpenAIProvider
from llm_mesh_adapter_openai.provider.saying import allowance_of, not_sayable, path_of, sayable
from llm_mesh_adapter_openai.provider.vectors import OpenAIVectors
from llm_mesh_dialects import openai, responses
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import merged
from llm_mesh_dialects.fields import Fields

T = TypeVar("T")
_COUNTED = frozenset({"model", "messages", "tools"})
_NO_CREDENTIAL = 401
_OURS = b'"llm_mesh_code"'
"""What a refusal of a mesh has: the edge listens where llama.cpp usually does, and takes no request without a key."""
_REFUSED = frozenset({"400", "415", "422", "501"})
_PACKED = re.compile(r"encoding_?format|base64", re.IGNORECASE)
_DROPPED = generate_pb2.TRANSLATION_ACTION_DROPPED


class OpenAIDialect:
    """Chat completions, Responses and embeddings, at every server that speaks them."""

    framing: Framing = SSE

    def __init__(self, rows: Mapping[str, OpenAIProvider]) -> None:
        self._rows = rows

    def generate(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The request for a generation."""
        row = self._row(ask.endpoint)
        if row.responses and speaks_responses(row.responses, ask.model):
            return call_of(row, ask, request)
        try:
            body, translations = openai.requests.input_to_chat(
                request,
                row.quirks,
                model=ask.model,
                stream=ask.stream,
                max_output_tokens=ask.max_output_tokens,
                allowance=allowance_of(ask.endpoint),
            )
        except DialectError as error:
            raise not_sayable(error) from None
        names = openai.requests.shorten_tool_names(body, row.quirks, translations)
        if ask.zero_retention:
            if body.pop("store", None):
                translations.append(generate_pb2.Translation(field="extras[openai.store]", action=_DROPPED, note="nothing may be kept"))
            body = merged(body, row.zero_retention)
        return Call(path_of(row, ask.model, "/chat/completions"), _json(body), translations=translations, tool_names=names)

    def output(self, endpoint: Endpoint, body: bytes, output: generate_pb2.GenerateOutput) -> None:
        """A whole answer."""
        parsed = answered_by(endpoint, body)
        try:
            if responses.answers.is_response(parsed):
                responses.answers.body_into_output(output, parsed)
                return
            openai.responses.chat_into_output(output, parsed, self._row(endpoint).quirks)
        except DialectError as error:
            raise malformed(endpoint.name, str(error)) from None

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Reads one streamed answer of chat completions; calls of Responses bring their own."""
        row = self._row(endpoint)
        return OpenAIReader(endpoint.name, row.quirks)

    def embed(self, ask: Ask, request: embed_pb2.EmbedInput) -> Call:
        """The request for embeddings."""
        row = self._row(ask.endpoint)
        if not row.embeddings:
            raise unsupported(ask.endpoint.name, "embeddings")
        packed, allowance = ask.packed and row.quirks.base64_vectors, allowance_of(ask.endpoint)
        body, translations = sayable(
            lambda: openai.embeddings.input_to_body(request, row.quirks, model=ask.model, allowance=allowance, base64=packed)
        )
        return Call(path_of(row, ask.model, "/embeddings"), _json(body), translations=translations)

    def vectors(self, endpoint: Endpoint, items: int) -> VectorReader:
        """Reads one answer with embeddings."""
        return OpenAIVectors(endpoint, self._row(endpoint).quirks, items)

    def refuses_packed(self, endpoint: Endpoint, error: AdapterError) -> bool:
        """Servers say it in many words, but name the field."""
        complaint = error.metadata.get("provider_param", ""), error.metadata.get("provider_message", "")
        packs = self._row(endpoint).quirks.base64_vectors
        return packs and error.metadata.get("provider_status") in _REFUSED and any(_PACKED.search(text) for text in complaint)

    def count(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call | None:
        """VLLM counts a whole conversation, and so do Responses; other servers of the dialect do not count."""
        row = self._row(ask.endpoint)
        if row.responses and speaks_responses(row.responses, ask.model):
            return count_of(row, ask, request)
        if not row.tokenize:
            return None
        allowance = allowance_of(ask.endpoint)
        body, _ = sayable(lambda: openai.requests.input_to_chat(request, row.quirks, model=ask.model, stream=False, allowance=allowance))
        counted = {key: value for key, value in body.items() if key in _COUNTED}
        return Call("/tokenize", _json(counted), at_origin=True)

    def counted(self, endpoint: Endpoint, body: bytes) -> int:
        """An answer with a count."""
        parsed = answered_by(endpoint, body)
        counts = Fields(parsed)
        return understood(endpoint, lambda: counts.whole("count", 0) or counts.whole("input_tokens", 0) or 0)

    def models(self, endpoint: Endpoint) -> Call:
        """The request for the provider's models."""
        return Call(path_of(self._row(endpoint), "", "/models"), method="GET")

    def check(self, endpoint: Endpoint) -> Call:
        """The provider's models, unless it shows them to everybody and has something of the credential's own."""
        row = self._row(endpoint)
        return Call(path_of(row, "", row.check), method="GET")

    def model_ids(self, endpoint: Endpoint, body: bytes) -> Sequence[str]:
        """An answer with models; some servers leave the envelope out."""
        parsed = answered_by(endpoint, body)
        listed = Fields({"data": parsed} if isinstance(parsed, list) else parsed)
        return understood(endpoint, lambda: [each.required_text("id").removeprefix("models/") for each in listed.each("data")])

    def failure(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
        """What an answer whose status is not 200 means."""
        if endpoint.local and not endpoint.credential and status == _NO_CREDENTIAL and _OURS in body:
            return unreachable(endpoint.name, f"an LLM Mesh listens at {endpoint.base_url}, and not the server that is expected there")
        return of_answer(endpoint.name, status, headers, body)

    def _row(self, endpoint: Endpoint) -> OpenAIProvider:
        return self._rows.get(endpoint.name, GENERIC)


def _json(body: dict[str, Any]) -> bytes:
    return orjson.dumps(body)
