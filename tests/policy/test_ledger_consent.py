"""`Reserve` holds a plan to what the domain accepted: no foreign model without it, and none otherwise or dearer than accepted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llm_mesh.policy.v1 import floors_pb2
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_policy.ledger.domain.offers import Offer, Tariff
from llm_mesh_policy.ledger.domain.rates import Rates
from llm_mesh_policy.ledger.domain.sharing import Sharing
from llm_mesh_policy.ledger.peers import ProductRegistryPeer
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import NoSettings, host
from tests.policy.ledger_world import DOMAIN, World, attempt

FOREIGN = "domains/publisher/models/m"
OTHER = "domains/other"
RATES = [field.name for field in registry_pb2.Price.DESCRIPTOR.fields if field.name.endswith("_per_million")]


def price(number: int, nanos: int = 1_000_000_000, currency: str = "USD") -> registry_pb2.Price:
    return registry_pb2.Price(
        name=f"{FOREIGN}/prices/{number}", currency=currency, input_nanos_per_million=nanos, output_nanos_per_million=nanos
    )


def model(**fields: Any) -> registry_pb2.Model:
    wanted: dict[str, Any] = {"adapter": "openai", "endpoint": "openai", "upstream_model": "up", "region": "eu"}
    return registry_pb2.Model(name=FOREIGN, alias="m", **(wanted | fields))


def consent(domain: str = DOMAIN, **fields: Any) -> registry_pb2.AcceptedProduct:
    return registry_pb2.AcceptedProduct(
        domain=domain, product=FOREIGN, alias="m", model=model(price=price(1), **fields), accepted_price=price(1)
    )


def planned(number: int = 1, **fields: Any) -> plan_pb2.Attempt:
    wanted: dict[str, Any] = {"endpoint": "openai", "upstream_model": "up", "price": f"{FOREIGN}/prices/{number}", "region": "eu"}
    return attempt(model=FOREIGN, **(wanted | fields))


@pytest.fixture
async def world(database: Database) -> World:
    made = await World(database).ready()
    made.registry.models[FOREIGN] = model(price=price(1), shared_with=["*"])
    for number, nanos, currency in ((1, 10**9, "USD"), (2, 2 * 10**9, "USD"), (3, 10**8, "USD"), (4, 1, "EUR")):
        made.registry.prices[f"{FOREIGN}/prices/{number}"] = price(number, nanos, currency)
    return made


async def refused(world: World, wanted: plan_pb2.Attempt, **bounds: Any) -> str:
    with pytest.raises(MeshError) as failure:
        await world.reserve(wanted, admission=world.admission(**bounds))
    return failure.value.reason_name


async def test_a_foreign_model_is_not_admitted_without_consent_whatever_it_is_shared_with(world: World) -> None:
    assert await refused(world, planned()) == "PLAN_NOT_ADMITTED"
    world.registry.accepted[OTHER, FOREIGN] = consent(OTHER)
    assert await refused(world, planned()) == "PLAN_NOT_ADMITTED"
    world.registry.accepted[DOMAIN, FOREIGN] = consent()
    assert (await world.reserve(planned())).held.reservation.lines[0].model == FOREIGN


@pytest.mark.parametrize(
    "fields", [{"endpoint": "elsewhere"}, {"upstream_model": "other"}, {"adapter": "anthropic"}, {"credential": "c"}, {"region": "us"}]
)
async def test_what_differs_from_the_accepted_terms_is_not_admitted(world: World, fields: dict[str, Any]) -> None:
    world.registry.accepted[DOMAIN, FOREIGN] = consent()
    world.registry.models[FOREIGN] = model(price=price(1), **fields)
    assert await refused(world, planned(**fields)) == "PLAN_NOT_ADMITTED"


async def test_the_accepted_facts_bind_and_not_the_present_ones(world: World) -> None:
    world.registry.accepted[DOMAIN, FOREIGN] = consent(data_classes=["public"])
    world.registry.models[FOREIGN] = model(price=price(1), data_classes=["restricted"], zero_retention=True)
    assert await refused(world, planned(), data_class="restricted") == "PLAN_NOT_ADMITTED"
    assert await refused(world, planned(), data_class="public", zero_retention=True) == "PLAN_NOT_ADMITTED"


async def test_a_price_above_the_accepted_one_is_not_admitted_and_one_below_is(world: World) -> None:
    world.registry.accepted[DOMAIN, FOREIGN] = consent()
    assert await refused(world, planned(2)) == "PLAN_NOT_ADMITTED"
    assert await refused(world, planned(4)) == "PLAN_NOT_ADMITTED"
    for number in (1, 3):
        assert (await world.reserve(planned(number))).held.reservation.lines[0].price == f"{FOREIGN}/prices/{number}"


async def test_a_consent_without_a_price_admits_no_price(world: World) -> None:
    unpriced = registry_pb2.AcceptedProduct(domain=DOMAIN, product=FOREIGN, model=model())
    world.registry.accepted[DOMAIN, FOREIGN] = unpriced
    assert await refused(world, planned()) == "PLAN_NOT_ADMITTED"


@pytest.mark.parametrize("rate", RATES)
def test_a_price_exceeds_another_by_any_single_component(rate: str) -> None:
    def priced(**rates: Any) -> registry_pb2.Price:
        return registry_pb2.Price(currency="USD", **rates)

    accepted = priced(**dict.fromkeys(RATES, 5))
    offer = Offer.of(registry_pb2.AcceptedProduct(model=model(), accepted_price=accepted))
    assert offer.covers(Tariff("USD", Rates.of(accepted)))
    dearer = priced(**(dict.fromkeys(RATES, 1) | {rate: 6}))
    assert not offer.covers(Tariff("USD", Rates.of(dearer)))


class Registry(registry_pb2_grpc.RegistryServiceServicer):
    """Knows what a test puts into it, and counts what it is asked."""

    def __init__(self) -> None:
        self.accepted: dict[tuple[str, str], registry_pb2.AcceptedProduct] = {}
        self.calls = 0

    async def GetAcceptedProduct(
        self, request: registry_pb2.GetAcceptedProductRequest, context: Any
    ) -> registry_pb2.GetAcceptedProductResponse:
        self.calls += 1
        return registry_pb2.GetAcceptedProductResponse(accepted_product=self.accepted.get((request.domain, request.product)))

    async def GetModel(self, request: registry_pb2.GetModelRequest, context: Any) -> registry_pb2.GetModelResponse:
        raise AssertionError("a foreign model is never asked for by its name alone")


@asynccontextmanager
async def followed(registry: Registry) -> AsyncIterator[ProductRegistryPeer]:
    def build(_settings: NoSettings, _links: Any) -> Servicers:
        return Servicers((registry_pb2_grpc.add_RegistryServiceServicer_to_server, registry))

    async with host(Service("registry", ("llm_mesh.registry.v1.RegistryService",), NoSettings, build)) as hosted:
        peer = ProductRegistryPeer(hosted.channel("registry", caller="policy"))
        yield peer


def tell(peer: ProductRegistryPeer, **fields: Any) -> None:
    """What a message of the watch says."""
    peer._apply(registry_pb2.WatchModelsResponse(**fields))


async def test_consent_is_heard_of_kept_and_forgotten() -> None:
    registry = Registry()
    async with followed(registry) as peer:
        first, second = consent(), consent(region="us")
        tell(peer, reset=True, models=[model(shared_with=["*"])], accepted_products=[first])
        assert await peer.served(FOREIGN, DOMAIN) == first
        assert (await peer.price(f"{FOREIGN}/prices/1")) == price(1)
        tell(peer, accepted_products=[second])
        assert await peer.served(FOREIGN, DOMAIN) == second
        assert registry.calls == 0, "what is heard of is not asked for"
        assert await peer.served(FOREIGN, OTHER) is None
        tell(peer, removed_accepted_products=[{"domain": DOMAIN, "product": FOREIGN}])
        assert await peer.served(FOREIGN, DOMAIN) is None
        registry.accepted[DOMAIN, FOREIGN] = first
        assert await peer.served(FOREIGN, DOMAIN) == first, "what is not heard of yet is asked for"
        del registry.accepted[DOMAIN, FOREIGN]
        assert await peer.fresh(FOREIGN, DOMAIN) is None
        assert await peer.served(FOREIGN, DOMAIN) is None
        tell(peer, accepted_products=[first])
        tell(peer, reset=True)
        assert await peer.served(FOREIGN, DOMAIN) is None


async def test_the_owner_and_the_shared_domain_need_no_consent() -> None:
    registry = Registry()
    async with followed(registry) as peer:
        shared = registry_pb2.Model(name="domains/shared/models/s")
        tell(peer, reset=True, models=[model(), shared])
        assert await peer.served(FOREIGN, "domains/publisher") == model()
        assert await peer.served(shared.name, DOMAIN) == shared
        assert await peer.served(FOREIGN, "domains/publish") is None, "a domain whose name is the begin of another is not that one"


@pytest.mark.parametrize(
    ("floors", "allowed"),
    [
        ([], True),
        ([{"name": "claims", "may_accept_from": ["domains/publisher"]}], True),
        ([{"name": "claims", "may_accept_from": ["domains/elsewhere"]}], False),
        ([{"name": "claims", "may_accept_from": ["-"]}], False),
        ([{"name": "-", "may_accept_from": ["domains/elsewhere"]}], False),
        ([{"name": "publisher", "may_publish_to": [DOMAIN]}], True),
        ([{"name": "publisher", "may_publish_to": [OTHER]}], False),
        ([{"name": "other", "may_accept_from": ["-"]}, {"name": "claims", "may_publish_to": ["-"]}], True),
    ],
)
async def test_consent_serves_only_where_the_floors_of_both_domains_let_it(
    world: World, floors: list[dict[str, Any]], *, allowed: bool
) -> None:
    world.registry.accepted[DOMAIN, FOREIGN] = consent()
    for fields in floors:
        name = f"domains/platform/floors/{fields['name']}"
        world.identity.floors[name] = floors_pb2.Floor(**(fields | {"name": name}))
    if allowed:
        assert (await world.reserve(planned())).held.reservation.lines[0].model == FOREIGN
    else:
        assert await refused(world, planned()) == "PLAN_NOT_ADMITTED"


def test_what_floors_say_of_sharing_is_found_out_once_a_revision() -> None:
    class Floors:
        def __init__(self, *receivers: str) -> None:
            self.floor = floors_pb2.Floor(may_publish_to=receivers)
            self.asked = 0

        def floor_of(self, domain: str) -> floors_pb2.Floor | None:
            self.asked += 1
            return self.floor

    current = Floors("-")
    sharing = Sharing(lambda: current)
    assert [sharing.is_allowed("domains/a", "domains/b") for _ in range(3)] == [False] * 3
    assert current.asked == 2
    current = Floors("domains/b")
    assert sharing.is_allowed("domains/a", "domains/b"), "a new revision is asked anew"
