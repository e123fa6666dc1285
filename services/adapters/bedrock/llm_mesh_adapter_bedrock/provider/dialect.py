"""The dialect as the kit calls it: Converse, ConverseStream, CountTokens, InvokeModel for embeddings, and lists of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_bedrock.provider.failures import of_answer
from llm_mesh_adapter_bedrock.provider.overrides import Facts
from llm_mesh_adapter_bedrock.provider.stream import ConverseStream
from llm_mesh_adapter_bedrock.provider.vectors import InvokedVectors
from llm_mesh_adapter_kit.dialect import Ask, Call, StreamReader, VectorReader
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, extra_not_allowed, malformed, media_address_not_allowed, unsupported
from llm_mesh_adapter_kit.event_stream import EVENT_STREAM
from llm_mesh_adapter_kit.framing import Framing
from llm_mesh_adapter_kit.model_paths import in_path
from llm_mesh_dialects.addresses import MediaRule
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance
from llm_mesh_dialects.bedrock import embeddings, requests, responses
from llm_mesh_dialects.errors import CostlyError, DialectError, MediaAddressError
from llm_mesh_dialects.extras import dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_parsed, mended
from llm_mesh_runtime.errors import invalid

T = TypeVar("T")
_RUNTIME: Final = "bedrock-runtime."
_MODELS: Final = "/foundation-models"
_CHECK: Final = "/async-invoke?maxResults=1"
"""The one list that the runtime has itself: it costs nothing, and only who is admitted sees it."""
_JSON: Final = MappingProxyType({"accept": "application/json"})
_RETIRED: Final = "LEGACY"
_NOTHING: Final = Facts()


class BedrockDialect:
    """Implements `Dialect` of the kit. `facts` are what it knows of endpoints, by name."""

    framing: Framing = EVENT_STREAM

    def __init__(self, facts: Mapping[str, Facts]) -> None:
        self._facts = facts

    def generate(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The request for an answer."""
        made = _translated(
            lambda: requests.input_to_converse(
                request,
                model=ask.model,
                max_output_tokens=ask.max_output_tokens,
                allowance=_allowance(ask.endpoint),
                guardrail=self._known(ask.endpoint).guardrail,
            )
        )
        path = _path(ask.model, "converse-stream" if ask.stream else "converse")
        return Call(path, dumped(made.body), translations=made.translations, tool_names=made.tool_names)

    def output(self, endpoint: Endpoint, body: bytes, output: generate_pb2.GenerateOutput) -> None:
        """A whole answer."""
        _understood(endpoint, lambda: responses.converse_into_output(output, Fields(mended(loose_parsed(body)))))

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Reads one stream."""
        return ConverseStream(endpoint.name)

    def embed(self, ask: Ask, request: embed_pb2.EmbedInput) -> Call:
        """The request for embeddings, in the model's own form."""
        body, translations = _translated(lambda: embeddings.input_to_body(request, model=ask.model, allowance=_allowance(ask.endpoint)))
        return Call(_path(ask.model, "invoke"), dumped(body), headers=_JSON, translations=translations)

    def vectors(self, endpoint: Endpoint, items: int) -> VectorReader:
        """Reads an answer with embeddings."""
        del items
        return InvokedVectors(endpoint)

    def refuses_packed(self, endpoint: Endpoint, error: AdapterError) -> bool:
        """Vectors have one form here."""
        del endpoint, error
        return False

    def count(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The request for a count."""
        body = _translated(lambda: requests.input_to_count(request, model=ask.model, allowance=_allowance(ask.endpoint)))
        return Call(_path(ask.model, "count-tokens"), dumped(body))

    def counted(self, endpoint: Endpoint, body: bytes) -> int:
        """How many tokens the provider counted."""
        return _understood(endpoint, lambda: Fields(loose_parsed(body)).whole("inputTokens", 0) or 0)

    def models(self, endpoint: Endpoint) -> Call:
        """The request for models, which are listed elsewhere than they answer."""
        if endpoint.added and endpoint.host.startswith(_RUNTIME):
            raise unsupported(endpoint.name, "list of models: Amazon has it at another host, for which the credential is not named")
        return Call(_MODELS, method="GET", elsewhere=self._known(endpoint).catalogue)

    def check(self, endpoint: Endpoint) -> Call:
        """The cheapest question that shows whether the mesh is admitted."""
        del endpoint
        return Call(_CHECK, method="GET")

    def model_ids(self, endpoint: Endpoint, body: bytes) -> Sequence[str]:
        """The ids of a list of models, without those that are going to end."""
        listed = _understood(endpoint, lambda: Fields(loose_parsed(body)))
        return _understood(
            endpoint, lambda: [each.required_text("modelId") for each in listed.each("modelSummaries") if not _retired(each)]
        )

    def listed(self, endpoint: Endpoint, body: bytes) -> Sequence[adapter_pb2.ModelDescription]:
        """What the list says of each model. Implements `Describing`, with what follows."""
        models = _understood(endpoint, lambda: list(Fields(loose_parsed(body)).each("modelSummaries")))
        return _understood(endpoint, lambda: [_description(each) for each in models if not _retired(each)])

    def describe(self, endpoint: Endpoint, model: str) -> Call | None:
        """The list has everything that the provider says."""
        del endpoint, model
        return None

    def described(self, endpoint: Endpoint, body: bytes, description: adapter_pb2.ModelDescription) -> None:
        """No model is asked about alone."""
        del endpoint, body, description

    def failure(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
        """What an answer whose status is not 200 means."""
        return of_answer(endpoint.name, status, headers, body)

    def _known(self, endpoint: Endpoint) -> Facts:
        return self._facts.get(endpoint.name, _NOTHING)


def _path(model: str, operation: str) -> str:
    """Encoded once: the signer encodes it again, as AWS demands."""
    return f"/model/{in_path(model)}/{operation}"


def _description(model: Fields) -> adapter_pb2.ModelDescription:
    """Of tools and context windows the list says nothing."""
    inputs, outputs = model.texts("inputModalities"), model.texts("outputModalities")
    capabilities = {
        "generate": "TEXT" in outputs,
        "streaming": "TEXT" in outputs and bool(model.truth("responseStreamingSupported")),
        "image_input": "TEXT" in outputs and "IMAGE" in inputs,
        "embeddings": "EMBEDDING" in outputs,
    }
    return adapter_pb2.ModelDescription(
        model=model.required_text("modelId"), capabilities=[name for name, has in capabilities.items() if has]
    )


def _retired(model: Fields) -> bool:
    lifecycle = model.peek("modelLifecycle")
    return isinstance(lifecycle, dict) and lifecycle.get("status") == _RETIRED


def _allowance(endpoint: Endpoint) -> Allowance:
    """What the operator lets through at the endpoint."""
    if not endpoint.extras and not endpoint.media:
        return NOTHING_MORE  # as nearly everywhere
    return Allowance(endpoint.extras, MediaRule(endpoint.media))


def _translated(translate: Callable[[], T]) -> T:
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
