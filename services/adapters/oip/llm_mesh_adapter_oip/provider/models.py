"""What servers say of themselves and of their models: whether they are ready, and what these take and give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError

from llm_mesh.adapter.v1 import adapter_pb2, errors_pb2
from llm_mesh_adapter_kit.dialect import Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import Said, answered, malformed
from llm_mesh_adapter_kit.rpc.framing import framed
from llm_mesh_adapter_kit.rpc.statuses import messages_of
from llm_mesh_adapter_oip.provider.failures import of_status
from llm_mesh_adapter_oip.provider.methods import MODEL_METADATA, MODEL_READY, REPOSITORY_INDEX, SERVER_READY
from llm_mesh_adapter_oip.provider.options import OipOptions, options_of
from llm_mesh_adapter_oip.provider.wire import MESSAGES

_READY: Final = frozenset({"", "READY"})


def check_call(endpoint: Endpoint) -> Call:
    """Whether the configured models are ready, or the whole server where there are none."""
    models = options_of(endpoint).models
    return _call(MODEL_READY, "ModelReadyRequest", models) if models else Call(SERVER_READY, framed(b""))


def judge(endpoint: Endpoint, body: bytes) -> None:
    """Raises PROVIDER_ERROR with what is not ready."""
    models = options_of(endpoint).models
    answers = _answers(endpoint, body, "ModelReadyResponse" if models else "ServerReadyResponse", max(1, len(models)))
    for name, answer in zip(models or ("the server",), answers, strict=True):
        if not answer.ready:
            raise answered(errors_pb2.ERROR_REASON_PROVIDER_ERROR, endpoint.name, status=0, said=Said(f"{name} is not ready"))


def models_call(endpoint: Endpoint) -> Call:
    """What the configured models take, or the repository's list of what is ready where there are none."""
    models = options_of(endpoint).models
    if models:
        return _call(MODEL_METADATA, "ModelMetadataRequest", models)
    return Call(REPOSITORY_INDEX, framed(MESSAGES["RepositoryIndexRequest"](ready=True).SerializeToString()))


def listed(endpoint: Endpoint, body: bytes) -> list[adapter_pb2.ModelDescription]:
    """What the answer says of each model."""
    options = options_of(endpoint)
    if options.models:
        answers = _answers(endpoint, body, "ModelMetadataResponse", len(options.models))
        return [
            adapter_pb2.ModelDescription(model=name, capabilities=_capabilities(options, answer))
            for name, answer in zip(options.models, answers, strict=True)
        ]
    (index,) = _answers(endpoint, body, "RepositoryIndexResponse", 1)
    names = dict.fromkeys(each.name for each in index.models if each.name and each.state in _READY)  # each version is listed
    return [adapter_pb2.ModelDescription(model=name) for name in names]


def describe_call(endpoint: Endpoint, model: str) -> Call | None:
    """The question what a model takes, where the list did not say it."""
    return None if options_of(endpoint).models else _call(MODEL_METADATA, "ModelMetadataRequest", [model])


def described(endpoint: Endpoint, body: bytes, description: adapter_pb2.ModelDescription) -> None:
    """Adds what a model can do."""
    (answer,) = _answers(endpoint, body, "ModelMetadataResponse", 1)
    description.capabilities.extend(_capabilities(options_of(endpoint), answer))


def _capabilities(options: OipOptions, metadata: Any) -> list[str]:  # noqa: ANN401 (a message of the protocol)
    """What a model can do with the tensors of the endpoint's setting."""
    inputs, outputs = {each.name for each in metadata.inputs}, {each.name for each in metadata.outputs}
    embed, rerank = options.embed, options.rerank
    needs = {
        "embeddings": ({embed.input}, embed.output),
        "rerank": ({rerank.query, rerank.documents}, rerank.output),
    }
    return [name for name, (texts, numbers) in needs.items() if inputs == texts and numbers in outputs]


def _call(path: str, request: str, models: Sequence[str]) -> Call:
    return Call(path, framed(*(MESSAGES[request](name=name).SerializeToString() for name in models)))


def _answers(endpoint: Endpoint, body: bytes, name: str, count: int) -> list[Any]:
    messages = messages_of(endpoint.name, body, of_status)
    if len(messages) != count:
        raise malformed(endpoint.name, f"{len(messages)} messages for {count} calls")
    try:
        return [MESSAGES[name].FromString(message) for message in messages]
    except DecodeError:
        raise malformed(endpoint.name, f"bytes that are no {name}") from None
