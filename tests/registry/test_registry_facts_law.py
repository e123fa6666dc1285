"""The law of an endpoint's facts: nothing that is in effect exceeds them, whatever a model declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.facts import conflicts, in_effect
from tests.registry.test_registry_endpoints import CLAIMS, EVERY_RATE, NAME, PLATFORM, SALES, UNITS, charged

CLASSES = st.lists(st.sampled_from(["public", "internal", "confidential", "restricted"]), unique=True)
REGIONS = st.sampled_from(["", "eu", "us"])
RATES = {f"{rate}_nanos_per_million": st.integers(0, 3) for rate in (*EVERY_RATE, *UNITS)}


def of_rates(message: Any, currencies: Sequence[str], **fields: str) -> st.SearchStrategy[Any]:
    """Prices or floors with any of the rates set."""
    set_rates = st.fixed_dictionaries({"currency": st.sampled_from(currencies)}, optional=RATES)
    return st.none() | set_rates.map(lambda chosen: message(**fields, **chosen))


PRICES = of_rates(registry_pb2.Price, ["USD", "EUR"], source="a test")
FLOORS = of_rates(registry_pb2.PriceFloor, ["USD"])


MODELS = st.builds(
    lambda **fields: registry_pb2.Model(name="domains/claims/models/m", **{k: v for k, v in fields.items() if v is not None}),
    adapter=st.just("openai"), endpoint=st.just("box"), upstream_model=st.sampled_from(["up", "other"]), region=REGIONS,
    data_classes=CLASSES, zero_retention=st.booleans(), credential=st.sampled_from(["", "team", "own"]), free=st.booleans(), price=PRICES,
)  # fmt: skip
ENDPOINTS = st.none() | st.builds(
    lambda **fields: registry_pb2.Endpoint(name=NAME, operator=PLATFORM, **{k: v for k, v in fields.items() if v is not None}),
    region=REGIONS, data_classes=CLASSES, zero_retention=st.booleans(), credentials=st.lists(st.sampled_from(["team"]), max_size=1),
    upstream_models=st.lists(st.sampled_from(["up", "o*"]), unique=True), free_allowed=st.booleans(),
    price_floor=FLOORS,
    domains=st.lists(st.sampled_from([CLAIMS, SALES]), unique=True),
)  # fmt: skip


@given(declared=MODELS, endpoint=ENDPOINTS)
def test_what_is_in_effect_never_exceeds_the_facts(declared: registry_pb2.Model, endpoint: registry_pb2.Endpoint | None) -> None:
    effect = registry_pb2.Model()
    effect.CopyFrom(declared)
    in_effect(effect, endpoint)
    facts = endpoint or registry_pb2.Endpoint()
    cleared = set(facts.data_classes) or {"public", "internal"}
    retired = effect.lifecycle == registry_pb2.LIFECYCLE_RETIRED
    assert effect.region == facts.region
    assert effect.zero_retention == facts.zero_retention
    assert retired or set(effect.data_classes) <= cleared
    assert retired or set(effect.data_classes) <= set(declared.data_classes or effect.data_classes)
    assert retired or effect.data_classes
    assert not effect.free or (facts.free_allowed and declared.free)
    assert retired or effect.credential in {"", *facts.credentials}
    assert retired or not facts.upstream_models or any(effect.upstream_model.startswith(p.rstrip("*")) for p in facts.upstream_models)
    assert retired or not facts.domains or CLAIMS in facts.domains
    if effect.HasField("price") and not facts.free_allowed:
        assert any(charged(effect.price, rate) for rate in (*EVERY_RATE, *UNITS))
        if facts.HasField("price_floor"):
            assert effect.price.currency == "USD"
            assert all(charged(effect.price, rate) >= charged(facts.price_floor, rate) for rate in (*EVERY_RATE, *UNITS))
    assert not retired or not (effect.free or effect.HasField("price"))
    assert sorted(conflicts(declared, endpoint)) == list(effect.conflicts)
