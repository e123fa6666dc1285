"""Prices as tables show them: what is charged, in its own unit, and no zeros beside it."""

from __future__ import annotations

from typing import Any

import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_cli import discovery
from llm_mesh_cli.name_checks import CAPABILITIES
from llm_mesh_cli.registered_models import terms

MILLION = 10**9
RATES = [
    field.name for field in registry_pb2.Price.DESCRIPTOR.fields if field.name.endswith("_nanos_per_million") and not field.has_presence
]


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        ({"input_nanos_per_million": MILLION, "output_nanos_per_million": 4 * MILLION}, "1 / 4 USD"),
        ({}, "0 / 0 USD"),
        ({"search_unit_nanos_per_million": 2000 * MILLION}, "2000 searches USD"),
        ({"input_nanos_per_million": MILLION, "request_nanos_per_million": MILLION}, "1 / 0, 1 requests USD"),
        ({"images": [registry_pb2.ImagePrice(image_nanos_per_million=MILLION)]}, "1 images USD"),
        ({"images": [registry_pb2.ImagePrice(image_nanos_per_million=each * MILLION) for each in (4, 1, 2)]}, "1 to 4 images USD"),
    ],
)
def test_a_price_is_shown_by_what_it_charges(price: dict[str, Any], shown: str) -> None:
    assert terms(registry_pb2.Price(currency="USD", **price)) == shown


@pytest.mark.parametrize("rate", RATES)
def test_no_price_is_shown_as_nothing_where_it_charges_something(rate: str) -> None:
    charged: dict[str, Any] = {rate: 7 * MILLION}
    assert "7 " in terms(registry_pb2.Price(currency="USD", **charged))


@pytest.mark.parametrize(
    ("upstream", "capability"),
    [
        ("bge-reranker-v2-m3", "rerank"),
        ("nomic-embed-text", "embeddings"),
        ("omni-moderation-latest", "moderate"),
        ("whisper-1", "transcribe"),
        ("gpt-4o-mini-tts", "speak"),
        ("gpt-image-1", "generate_image"),
        ("llama-3.2", "generate"),
    ],
)
def test_models_of_silent_providers_can_what_their_names_say(upstream: str, capability: str) -> None:
    model = discovery._model("openai", adapter_pb2.Endpoint(name="vllm"), upstream, None)
    assert capability in model.capabilities
    assert set(model.capabilities) <= set(CAPABILITIES)
