"""Prices and figures of models end where sums would not fit."""

from __future__ import annotations

import pytest

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_figures.money import MAX_PRICE
from llm_mesh_figures.prices import RATES
from llm_mesh_registry.domain.models import checked_model
from llm_mesh_registry.domain.prices import checked_price
from llm_mesh_runtime.errors import MeshError


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("figure", [-1, MAX_PRICE + 1, 2**63 - 1])
def test_a_price_beyond_its_bounds_is_refused_by_field(rate: str, figure: int) -> None:
    price = registry_pb2.Price(currency="USD", source="a test")
    setattr(price, rate, MAX_PRICE)
    checked_price(price, "price")
    setattr(price, rate, figure)
    with pytest.raises(MeshError) as refused:
        checked_price(price, "price")
    assert refused.value.field == f"price.{rate}"


@pytest.mark.parametrize("name", ["context_window", "max_output_tokens", "image_tokens", "audio_tokens", "file_tokens", "audio_seconds"])
def test_figures_of_tokens_are_bounded(name: str) -> None:
    model = registry_pb2.Model(alias="m", adapter="openai", endpoint="openai", upstream_model="up")
    setattr(model, name, 10**9)
    checked_model(model, "model", may_be_free=False)
    setattr(model, name, 10**9 + 1)
    with pytest.raises(MeshError) as refused:
        checked_model(model, "model", may_be_free=False)
    assert refused.value.field == f"model.{name}"
