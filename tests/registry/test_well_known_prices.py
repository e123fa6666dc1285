"""The starting table has what providers bill, each row with source and date; its converter gives the same table on any day."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.prices import checked_price
from tests.architecture.repository import ROOT
from tools.prices import convert

TABLE = json.loads((ROOT / "services/registry/llm_mesh_registry/data/well_known_models.json").read_text(encoding="utf-8"))
MODELS = [ParseDict(row, registry_pb2.Model()) for row in TABLE["models"]]
DAY = datetime(2026, 12, 1, tzinfo=UTC)
CHAT = {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1000, "max_output_tokens": 100}


class Silent:
    """A second list that knows no model."""

    version = "0"

    def agrees(self, row: Mapping[str, Any]) -> bool | None:
        del row
        return None


def entry(**costs: str) -> dict[str, Any]:
    return CHAT | {name: Decimal(cost) for name, cost in costs.items()}


def table(**listed: dict[str, Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = convert.table({name.replace("_", "-"): each for name, each in listed.items()}, "1", Silent(), DAY)[
        "models"
    ]
    return made


def test_each_row_has_a_price_with_source_and_date() -> None:
    assert [model.alias for model in MODELS if not re.search(r"^litellm \S+, \d{4}-\d\d-\d\d, ", model.price.source)] == []
    for model in MODELS:
        checked_price(model.price, model.alias)
    figures = [name for name in registry_pb2.Price.DESCRIPTOR.fields_by_name if name.endswith("_nanos_per_million")]
    assert [model.alias for model in MODELS if not any(getattr(model.price, name) > 0 for name in figures)] == []


def test_the_table_has_what_its_sources_have_of_what_prices_are_made_of() -> None:
    prices = [model.price for model in MODELS]
    for name in ("cache_write_1h", "cache_write_12h", "image_input", "image_output", "audio_input"):
        assert any(price.HasField(f"{name}_nanos_per_million") for price in prices), name
    for name in ("audio_input_second", "character", "search_unit"):
        assert any(getattr(price, f"{name}_nanos_per_million") for price in prices), name
    tiers = {variant.tier for price in prices for variant in price.variants}
    assert tiers == {generate_pb2.SERVICE_TIER_PRIORITY, generate_pb2.SERVICE_TIER_FLEX, generate_pb2.SERVICE_TIER_BATCH}


def test_no_price_charges_the_same_twice() -> None:
    for model in MODELS:
        price = model.price
        by_token = price.input_nanos_per_million or price.output_nanos_per_million
        other = price.audio_input_second_nanos_per_million + price.character_nanos_per_million + price.search_unit_nanos_per_million
        assert not (by_token and other), model.alias
        assert len({variant.tier for variant in price.variants}) == len(price.variants), model.alias


def test_tiers_and_lifetimes_are_converted_exactly() -> None:
    listed = entry(
        input_cost_per_token="1e-6",
        output_cost_per_token="2e-6",
        cache_creation_input_token_cost="1.25e-6",
        cache_creation_input_token_cost_above_12hr="2e-6",
        input_cost_per_token_priority="3e-6",
        output_cost_per_token_priority="6e-6",
        input_cost_per_token_flex="5e-7",
        output_cost_per_token_batches="1e-6",
    )
    (row,) = table(model=listed)
    assert row["price"]["cacheWrite12hNanosPerMillion"] == "2000000000"
    (priority,) = row["price"]["variants"]  # of the others the list has no whole price
    assert priority == {
        "tier": "SERVICE_TIER_PRIORITY",
        "inputNanosPerMillion": "3000000000",
        "outputNanosPerMillion": "6000000000",
        "cacheWriteNanosPerMillion": "3000000000",  # never less than input that is not cached
        "cacheWrite12hNanosPerMillion": "3000000000",
    }


def test_seconds_and_characters_count_only_where_tokens_do_not() -> None:
    sound = {"mode": "audio_transcription", "litellm_provider": "openai", "input_cost_per_second": Decimal("1e-4")}
    both = sound | {"input_cost_per_token": Decimal("1e-6"), "output_cost_per_token": Decimal("1e-6")}
    rows = {row["alias"]: row for row in table(whisper_1=sound, gpt_4o_transcribe=both)}
    assert rows["whisper-1"]["price"]["audioInputSecondNanosPerMillion"] == "100000000000"
    assert rows["whisper-1"]["capabilities"] == ["transcribe"]
    assert "audioInputSecondNanosPerMillion" not in rows["gpt-4o-transcribe"]["price"]


def test_what_cannot_be_charged_exactly_is_left_out() -> None:
    piece = {"mode": "image_generation", "litellm_provider": "openai", "input_cost_per_image": Decimal("0.01")}
    speech = {"mode": "audio_speech", "litellm_provider": "openai", "input_cost_per_token": Decimal("1e-6")}
    assert convert.converted("low/1024-x-1024/gpt-image-1", piece, "x") is None
    assert convert.converted("gpt-4o-mini-tts", speech, "x") is None
    assert convert.converted("whisper-large-v3", {**piece, "mode": "audio_transcription", "litellm_provider": "groq"}, "x") is None


def test_prices_are_compared_as_of_the_given_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second list has several prices of a model, by date: that of today would make another table tomorrow."""
    days: list[datetime] = []

    def price(usage: object, *, model_ref: str, provider_id: str, genai_request_timestamp: datetime) -> SimpleNamespace:
        del usage, model_ref, provider_id
        days.append(genai_request_timestamp)
        return SimpleNamespace(input_price=Decimal("0.001"), output_price=Decimal("0.002"))

    module = ModuleType("genai_prices")
    module.Usage, module.calc_price = SimpleNamespace, price  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "genai_prices", module)
    (row,) = table(model=entry(input_cost_per_token="1e-6", output_cost_per_token="2e-6"))
    assert convert.Opinions("0", DAY).agrees(row)
    assert days == [DAY]
