"""A model's name in the path of an address never leads out of the path of models: not at registration, and not at a provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pytest

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_adapter_anthropic.provider import bedrock, vertex
from llm_mesh_adapter_bedrock.provider.dialect import BedrockDialect
from llm_mesh_adapter_gemini.provider.dialect import GeminiDialect
from llm_mesh_adapter_kit.dialect import Ask
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.model_paths import in_path
from llm_mesh_registry.domain.models import checked_model
from llm_mesh_runtime.errors import MeshError
from tests.adapter_gemini.conftest import saying

GEMINI: Final = GeminiDialect({"google": "gemini", "vertex": "vertex"})
PLACES: Final[Mapping[str, Callable[[str], str]]] = {
    "gemini": lambda model: GEMINI.generate(Ask(endpoint("google"), model, 5), saying()).path,
    "gemini-count": lambda model: GEMINI.count(Ask(endpoint("google"), model), saying()).path,
    "vertex": lambda model: GEMINI.generate(Ask(endpoint("vertex"), model, 5), saying()).path,
    "bedrock": lambda model: BedrockDialect({}).generate(Ask(endpoint("main"), model, 5), saying()).path,
    "claude-at-bedrock": lambda model: bedrock.invoked(model, {}, ()).path,
    "claude-at-vertex": lambda model: vertex.path_of(model, stream=True),
    "any": in_path,
}
LEAVING: Final = [".", "..", "../x", "x/..", "x/./y", "publishers/google/../../../../projects/other/locations/us/endpoints/1", "a\\..\\b"]
STAYING: Final = ["gemini-3.1-pro", "publishers/google/models/x", "amazon.nova-pro-v1:0", "..a", "a..", ".a/b.", "...", "/x/"]


def endpoint(name: str) -> Endpoint:
    return Endpoint(name=name, provider="P", base_url="https://provider.example.com/v1")


@pytest.mark.parametrize("place", sorted(PLACES))
def test_no_address_is_left_by_a_models_name(place: str) -> None:
    for model in LEAVING:
        with pytest.raises(MeshError) as failure:
            PLACES[place](model)
        assert (failure.value.reason_name, failure.value.field) == ("INVALID_FIELD", "attempt.upstream_model")
    for model in STAYING:
        assert PLACES[place](model)


def registered(upstream: str) -> registry_pb2.Model:
    model = registry_pb2.Model(alias="m", adapter="gemini", endpoint="google", upstream_model=upstream)
    return checked_model(model, "model", may_be_free=False)


def test_no_model_is_registered_whose_name_leaves_a_path() -> None:
    for upstream in LEAVING[:-1]:
        with pytest.raises(MeshError) as failure:
            registered(upstream)
        assert (failure.value.reason_name, failure.value.field) == ("INVALID_FIELD", "model.upstream_model")
    for upstream in STAYING:
        assert registered(upstream).upstream_model == upstream
