"""The dialect as the kit calls it: requests, answers, counts and lists of models, in the bytes of `POST /v1/messages` and its siblings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_anthropic.provider import vertex
from llm_mesh_adapter_anthropic.provider.bedrock import CHECK, counting, invoked, invokes
from llm_mesh_adapter_anthropic.provider.failures import of_answer, of_event
from llm_mesh_adapter_anthropic.provider.stream import MessageStream
from llm_mesh_adapter_kit.dialect import Ask, Call, StreamReader, VectorReader
from llm_mesh_adapter_kit.either_framing import EITHER
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, extra_not_allowed, malformed, media_address_not_allowed, unsupported
from llm_mesh_adapter_kit.framing import Framing
from llm_mesh_dialects.addresses import MediaRule
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance
from llm_mesh_dialects.anthropic import requests, responses
from llm_mesh_dialects.anthropic.quirks import of_model
from llm_mesh_dialects.errors import CostlyError, DialectError, MediaAddressError
from llm_mesh_dialects.extras import dumped, parsed
from llm_mesh_dialects.fields import Fields
from llm_mesh_runtime.errors import invalid

T = TypeVar("T")
_MESSAGES: Final = "/v1/messages"
_COUNT: Final = "/v1/messages/count_tokens"
_MODELS: Final = "/v1/models?limit=1000"
_ONE_MODEL: Final = "/v1/models?limit=1"
_BETA: Final = "anthropic_beta"
"""The key under which a request names features in trial, as bodies at clouds do; Anthropic itself wants them in a header."""


class MessagesDialect:
    """Implements `Dialect` of the kit."""

    framing: Framing = EITHER

    def generate(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The request for a message. The dialect has no key that forbids to keep data: accounts are agreed to be so."""
        body, translations = _sayable(
            lambda: requests.input_to_messages(
                request,
                of_model(ask.model),
                model=ask.model,
                stream=ask.stream,
                max_output_tokens=ask.max_output_tokens,
                allowance=_allowance(ask.endpoint),
            )
        )
        if invokes(ask.endpoint):
            return invoked(ask.model, body, translations)
        if vertex.predicts(ask.endpoint):
            return _call(vertex.path_of(ask.model, stream=ask.stream), vertex.predicted(body), translations)
        return _call(_MESSAGES, body, translations)

    def output(self, endpoint: Endpoint, body: bytes, output: generate_pb2.GenerateOutput) -> None:
        """A whole message."""
        _understood(endpoint, lambda: responses.message_into_output(output, _answered(endpoint, body)))

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Reads one stream."""
        return MessageStream(endpoint.name, packed=invokes(endpoint))

    def embed(self, ask: Ask, request: embed_pb2.EmbedInput) -> Call:
        """The dialect has no embeddings."""
        del request
        raise unsupported(ask.endpoint.name, "embeddings")

    def vectors(self, endpoint: Endpoint, items: int) -> VectorReader:
        """The dialect has no embeddings."""
        del items
        raise unsupported(endpoint.name, "embeddings")

    def refuses_packed(self, endpoint: Endpoint, error: AdapterError) -> bool:
        """It is never asked for vectors."""
        del endpoint, error
        return False

    def count(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The request for a count."""
        body = _sayable(lambda: requests.input_to_count(request, of_model(ask.model), model=ask.model, allowance=_allowance(ask.endpoint)))
        if invokes(ask.endpoint):
            return counting(ask.model, body)
        return _call(vertex.COUNT, vertex.counted(body)) if vertex.predicts(ask.endpoint) else _call(_COUNT, body)

    def counted(self, endpoint: Endpoint, body: bytes) -> int:
        """Input tokens, as the provider counted them."""
        return _understood(endpoint, lambda: Fields(_answered(endpoint, body)).whole(_counted_key(endpoint), 0) or 0)

    def models(self, endpoint: Endpoint) -> Call:
        """The request for models; the longest page holds them all."""
        if invokes(endpoint):
            raise unsupported(endpoint.name, "list of models: the adapter `bedrock` has it")
        return (
            Call(vertex.models_of(endpoint, 300), method="GET", at_origin=True)
            if vertex.predicts(endpoint)
            else Call(_MODELS, method="GET")
        )

    def check(self, endpoint: Endpoint) -> Call:
        """The provider's models, of which one is enough."""
        if vertex.predicts(endpoint):
            return Call(vertex.models_of(endpoint, 1), method="GET", at_origin=True)
        return Call(CHECK if invokes(endpoint) else _ONE_MODEL, method="GET")

    def model_ids(self, endpoint: Endpoint, body: bytes) -> Sequence[str]:
        """The ids of a list of models."""
        listed = Fields(_answered(endpoint, body))
        if vertex.predicts(endpoint):
            return _understood(endpoint, lambda: [each.required_text("name").rpartition("/")[2] for each in listed.each("publisherModels")])
        return _understood(endpoint, lambda: [each.required_text("id") for each in listed.each("data")])

    def failure(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
        """What an answer whose status is not 200 means."""
        return of_answer(endpoint.name, status, headers, body)


def _counted_key(endpoint: Endpoint) -> str:
    return "inputTokens" if invokes(endpoint) else "input_tokens"


def _allowance(endpoint: Endpoint) -> Allowance:
    """What the operator lets through at the endpoint."""
    if not endpoint.extras and not endpoint.media:
        return NOTHING_MORE  # as nearly everywhere
    return Allowance(endpoint.extras, MediaRule(endpoint.media))


def _sayable(translate: Callable[[], T]) -> T:
    """A typed payload that the dialect cannot say is the caller's mistake."""
    try:
        return translate()
    except CostlyError as error:
        raise extra_not_allowed(f"input.{error.field}", error.name, error.expected) from None
    except MediaAddressError as error:
        raise media_address_not_allowed(f"input.{error.field}", error.expected) from None
    except DialectError as error:
        raise invalid(f"input.{error.field}", error.expected, sent="false") from None


def _understood(endpoint: Endpoint, translate: Callable[[], T]) -> T:
    try:
        return translate()
    except DialectError as error:
        raise malformed(endpoint.name, str(error)) from None


def _answered(endpoint: Endpoint, body: bytes) -> dict[str, Any]:
    """The object that a body is; proxies hide errors behind a 200."""
    said = _understood(endpoint, lambda: Fields(parsed(body)).whole_object())
    if said.get("type") == "error":
        raise of_event(endpoint.name, said)
    return said


def _call(path: str, body: dict[str, Any], translations: Sequence[generate_pb2.Translation] = ()) -> Call:
    betas = body.pop(_BETA, None)
    named = ",".join(each for each in betas if isinstance(each, str)) if isinstance(betas, list) else ""
    headers = {"anthropic-beta": named} if named.isascii() and named.isprintable() and named else {}
    return Call(path, dumped(body), headers=headers, translations=translations)
