"""A domain that shares what it owns with everybody is a stranger to everybody, until they accept it, and then only as they did."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.policy.v1 import floors_pb2, identity_pb2, rules_pb2, rules_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from tests.proofs.http import Reply, call
from tests.proofs.load import chat_body
from tests.proofs.refusals import refused
from tests.proofs.stand import INPUT_PRICE, Stand, bearer, model, provider, stand, until

ATTACKER, VICTIM, BYSTANDER = "domains/attacker", "domains/victim", "domains/bystander"
EVERYBODY = (ATTACKER, VICTIM, BYSTANDER)
POPULAR = "popular"
"""An alias of `domains/shared` that everybody uses."""
DEAR = 400_000_000_000_000
"""Nanos per million tokens: 8 USD for some twenty tokens."""
CODES = grpc.StatusCode


@dataclass(frozen=True)
class Keys:
    """An administrator's key and an application's, by domain."""

    admin: dict[str, str]
    app: dict[str, str]


@dataclass(frozen=True)
class World:
    """The mesh, and what its domains' people do."""

    mesh: Stand
    keys: Keys

    def registry(self, domain: str, method: str, request: Any) -> Any:
        """A call of the registry by a domain's administrator."""
        return self._call(registry_pb2_grpc.RegistryServiceStub, self.keys.admin[domain], method, request)

    def router(self, domain: str, method: str, request: Any) -> Any:
        """A call of the router by a domain's administrator."""
        return self._call(router_pb2_grpc.RouterServiceStub, self.keys.admin[domain], method, request)

    def _call(self, stub: Any, key: str, method: str, request: Any) -> Any:
        return getattr(stub(self.mesh.channel), method)(request, metadata=bearer(key), timeout=20)

    def publish(self, name: str, **fields: Any) -> str:
        """The attacker registers a model, offers it to everybody, and waits until it is served by it itself."""
        made = model(name, "sim-echo", domain=ATTACKER)
        made.MergeFrom(registry_pb2.Model(shared_with=["*"]))
        for field, value in fields.items():
            setattr(made, field, value)
        answer = self.registry(ATTACKER, "CreateModel", registry_pb2.CreateModelRequest(parent=ATTACKER, model_id=name, model=made))
        self.until_served(ATTACKER, made.alias)
        published: str = answer.model.name
        return published

    def price(self, name: str, nanos: int) -> None:
        """The attacker sets another price."""
        price = registry_pb2.Price(currency="USD", input_nanos_per_million=nanos, output_nanos_per_million=nanos, source="greed")
        self.registry(ATTACKER, "CreatePrice", registry_pb2.CreatePriceRequest(parent=name, price=price))

    def change(self, name: str, **fields: Any) -> None:
        """The attacker changes a model."""
        etag = self.registry(ATTACKER, "GetModel", registry_pb2.GetModelRequest(name=name)).model.etag
        wanted = registry_pb2.Model(name=name, etag=etag, **fields)
        self.registry(ATTACKER, "UpdateModel", registry_pb2.UpdateModelRequest(model=wanted, update_mask=FieldMask(paths=list(fields))))

    def subscribe(self, domain: str, subscription_id: str, **fields: Any) -> registry_pb2.Subscription:
        """A domain accepts."""
        request = registry_pb2.CreateSubscriptionRequest(
            parent=domain, subscription_id=subscription_id, subscription=registry_pb2.Subscription(**fields)
        )
        created: registry_pb2.Subscription = self.registry(domain, "CreateSubscription", request).subscription
        return created

    def subscription(self, name: str) -> registry_pb2.Subscription:
        """How a subscription of the victim stands."""
        found: registry_pb2.Subscription = self.registry(
            VICTIM, "GetSubscription", registry_pb2.GetSubscriptionRequest(name=name)
        ).subscription
        return found

    def accept(self, name: str) -> None:
        """The victim accepts what is proposed."""
        present = self.subscription(name)
        accept = [registry_pb2.ProductVersion(version=present.proposed.version)]
        wanted = registry_pb2.Subscription(name=name, etag=present.etag)
        self.registry(VICTIM, "UpdateSubscription", registry_pb2.UpdateSubscriptionRequest(subscription=wanted, accept=accept))

    def ask(self, domain: str, alias: str) -> Reply:
        """An application of a domain asks."""
        return self.mesh.ask(chat_body(alias, "hello"), key=self.keys.app[domain])

    def listed(self, domain: str) -> set[str]:
        """The aliases that an application of a domain sees."""
        answer = call(self.mesh.mesh.addresses["http"], "GET", "/v1/models", headers={"authorization": f"Bearer {self.keys.app[domain]}"})
        return {each["id"] for each in answer.json()["data"]}

    def until_served(self, domain: str, alias: str) -> None:
        """Waits until an alias is answered."""
        until(lambda: self.ask(domain, alias).status == 200, f"{domain} is served by {alias}", pause=0.05)

    def charged(self, domain: str, alias: str) -> tuple[str, str]:
        """The model and the price version that one request for an alias is charged by."""
        reply = self.ask(domain, alias)
        assert reply.status == 200, reply.body
        entry = until(lambda: self._settled(domain, reply.headers["x-request-id"]), "the request is settled")
        return entry.lines[0].model, entry.lines[0].price

    def _settled(self, domain: str, request: str) -> Any:
        found = self.mesh.entries(request, parent=f"{domain}/projects/-")
        return found[0] if found and found[0].lines else None


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Three domains with an administrator and an application each, and one shared model."""
    folder: Path = tmp_path_factory.mktemp("sharing")
    with provider(folder) as simulator:
        second = {"LLM_MESH_ADAPTER_OPENAI_ENDPOINT_SECOND": json.dumps({"base_url": f"http://{simulator.address}/v1", "local": True})}
        with stand(folder, simulator, second) as made:
            made.put_models([model(POPULAR, "sim-echo")])
            stub: Any = registry_pb2_grpc.RegistryServiceStub(made.channel)
            for name, region in (("simulator", "eu"), ("second", "us")):
                endpoint = registry_pb2.Endpoint(name=f"adapters/openai/endpoints/{name}", region=region, operator="domains/platform")
                endpoint.price_floor.currency = "USD"
                stub.PutEndpoint(registry_pb2.PutEndpointRequest(endpoint=endpoint), metadata=made.admin)
            for domain in EVERYBODY:
                people = {f"{domain}/principals/admin": "roles/domain-admin", f"{domain}/principals/app": "roles/application"}
                made.apply_policy(
                    domains=[identity_pb2.Domain(name=domain)],
                    projects=[identity_pb2.Project(name=f"{domain}/projects/main")],
                    principals=[identity_pb2.Principal(name=person) for person in people],
                    bindings=[
                        rules_pb2.Binding(name=f"{domain}/bindings/{person.rpartition('/')[2]}", principal=person, role=role)
                        for person, role in people.items()
                    ],
                )
            yield made


@pytest.fixture(scope="module")
def world(mesh: Stand) -> World:
    """Keys of everybody."""
    admin, app = (
        {domain: mesh.new_key(f"{domain}/projects/main", f"{domain}/principals/{person}").secret for domain in EVERYBODY}
        for person in ("admin", "app")
    )
    return World(mesh, Keys(admin, app))


def route(name: str, alias: str, *targets: str) -> router_pb2.CreateRouteRequest:
    """A route of the attacker, offered to everybody."""
    made = router_pb2.Route(alias=alias, shared_with=["*"], targets=[router_pb2.RouteTarget(model=target) for target in targets])
    return router_pb2.CreateRouteRequest(parent=ATTACKER, route_id=name, route=made)


def _same(reply: Reply, alias: str) -> bytes:
    """What an answer says, without the name that was asked for and the number of the decision, which each request has."""
    return re.sub(rb"[0-9a-f]{16,}", b"", reply.body.replace(alias.encode(), b"it"))


def test_a_stranger_takes_over_no_alias_and_gives_none(world: World) -> None:
    dear = world.publish("dear")
    world.price(dear, DEAR)
    world.router(ATTACKER, "CreateRoute", route("takeover", POPULAR, dear))
    world.router(ATTACKER, "CreateRoute", route("unused", "unused", dear))
    until(lambda: world.charged(ATTACKER, POPULAR)[0] == dear, "the attacker's own alias leads to its model")
    world.until_served(ATTACKER, "unused")
    for domain in (VICTIM, BYSTANDER):
        assert world.charged(domain, POPULAR)[0] == f"domains/shared/models/{POPULAR}"
        unknown = world.ask(domain, "no-such-model")
        for alias in ("dear", "unused"):
            reply = world.ask(domain, alias)
            assert reply.status == unknown.status == 404
            assert _same(reply, alias) == _same(unknown, "no-such-model")
        assert not {"dear", "unused"} & world.listed(domain)
        assert POPULAR in world.listed(domain)
    assert world.mesh.ask(chat_body("unused", "hello")).status == 404
    assert {"dear", "unused"} <= world.listed(ATTACKER)


def test_what_a_domain_accepts_serves_it_and_nobody_else(world: World) -> None:
    product = world.publish("wanted")
    world.router(ATTACKER, "CreateRoute", route("way", "way", product))
    offers = world.registry(VICTIM, "ListOffers", registry_pb2.ListOffersRequest(parent=VICTIM, page_size=100)).offers
    by_product = {offer.product: offer for offer in offers}
    assert {product, f"{ATTACKER}/routes/way"} <= by_product.keys()
    created = world.subscribe(VICTIM, "wanted", product=product, accepted_version=by_product[product].version)
    assert created.model.price.input_nanos_per_million == INPUT_PRICE
    world.until_served(VICTIM, "wanted")
    assert world.charged(VICTIM, "wanted") == (product, f"{product}/prices/1")
    assert world.ask(VICTIM, "way").status == 404
    world.subscribe(VICTIM, "way", product=f"{ATTACKER}/routes/way", alias="our/way")
    world.until_served(VICTIM, "our/way")
    assert {"wanted", "our/way"} <= world.listed(VICTIM)
    assert world.ask(BYSTANDER, "wanted").status == 404
    assert not {"wanted", "way", "our/way"} & world.listed(BYSTANDER)


def test_an_accepted_product_shadows_a_shared_alias_only_where_the_domain_says_so(world: World) -> None:
    product = world.publish("lookalike")
    name = f"{ATTACKER}/routes/lookalike"
    world.router(ATTACKER, "CreateRoute", route("lookalike", "shared-too", product))
    world.mesh.put_models([model("shared-too", "sim-echo")])
    world.subscribe(VICTIM, "lookalike", product=name)
    world.subscribe(VICTIM, "lookalike-model", product=product)
    world.until_served(VICTIM, "lookalike")
    assert world.charged(VICTIM, "shared-too")[0] == "domains/shared/models/shared-too"
    subscription = world.subscription(f"{VICTIM}/subscriptions/lookalike")
    wanted = registry_pb2.Subscription(name=subscription.name, etag=subscription.etag, alias="shared-too")
    world.registry(VICTIM, "UpdateSubscription", registry_pb2.UpdateSubscriptionRequest(subscription=wanted))
    until(lambda: world.charged(VICTIM, "shared-too")[0] == product, "the alias that the domain gave leads to what it accepted")


def test_a_dearer_price_reaches_a_subscriber_only_once_it_accepts(world: World) -> None:
    product = world.publish("raised")
    name = world.subscribe(VICTIM, "raised", product=product).name
    world.until_served(VICTIM, "raised")
    world.price(product, DEAR)
    until(lambda: world.charged(ATTACKER, "raised")[1] == f"{product}/prices/2", "the price holds for its owner")
    assert world.charged(VICTIM, "raised")[1] == f"{product}/prices/1"
    assert list(world.subscription(name).proposed.proposed_fields) == ["price"]
    world.price(product, INPUT_PRICE // 10)
    until(lambda: world.charged(VICTIM, "raised")[1] == f"{product}/prices/3", "a lower price applies by itself")
    world.price(product, DEAR)
    until(lambda: world.charged(ATTACKER, "raised")[1] == f"{product}/prices/4", "the price holds for its owner")
    assert world.charged(VICTIM, "raised")[1] == f"{product}/prices/1"
    world.accept(name)
    until(lambda: world.charged(VICTIM, "raised")[1] == f"{product}/prices/4", "the accepted price holds")


def test_another_upstream_and_region_reach_a_subscriber_only_once_it_accepts(world: World) -> None:
    product = world.publish("moved")
    name = world.subscribe(VICTIM, "moved", product=product).name
    world.until_served(VICTIM, "moved")
    assert world.subscription(name).model.region == "eu"
    world.change(product, endpoint="second", upstream_model="sim-words")
    seen = {line["id"] for line in world.mesh.provider.log(event="received")}
    until(lambda: world.ask(ATTACKER, "moved").text != world.ask(VICTIM, "moved").text, "its owner is served by the new upstream")
    assert "hello" in world.ask(VICTIM, "moved").text
    asked = [line for line in world.mesh.provider.log(event="received") if line["id"] not in seen]
    assert {line["model"] for line in asked} == {"sim-echo", "sim-words"}
    present = world.subscription(name)
    assert (present.model.endpoint, present.model.region) == ("simulator", "eu")
    assert set(present.proposed.proposed_fields) == {"endpoint", "upstream_model", "region"}
    world.accept(name)
    until(lambda: "hello" not in world.ask(VICTIM, "moved").text, "the accepted upstream serves")
    assert world.subscription(name).model.region == "us"


def test_changed_targets_of_a_route_reach_a_subscriber_only_once_it_accepts(world: World) -> None:
    first, second = world.publish("first"), world.publish("second")
    world.router(ATTACKER, "CreateRoute", route("bent", "bent", first))
    name = world.subscribe(VICTIM, "bent", product=f"{ATTACKER}/routes/bent").name
    world.subscribe(VICTIM, "first", product=first)
    world.until_served(VICTIM, "bent")
    present = world.router(ATTACKER, "GetRoute", router_pb2.GetRouteRequest(name=f"{ATTACKER}/routes/bent")).route
    present.targets[0].model = second
    world.router(ATTACKER, "UpdateRoute", router_pb2.UpdateRouteRequest(route=present))
    until(lambda: world.charged(ATTACKER, "bent")[0] == second, "its owner goes to the new target")
    assert world.charged(VICTIM, "bent")[0] == first
    assert list(world.subscription(name).proposed.proposed_fields) == ["targets"]
    world.accept(name)
    until(lambda: world.ask(VICTIM, "bent").code == "no_eligible_target", "the accepted route leads to a model that is not accepted")
    world.subscribe(VICTIM, "second", product=second)
    world.until_served(VICTIM, "bent")


def test_a_withdrawn_offer_serves_nobody_and_comes_back_as_it_was_accepted(world: World) -> None:
    product = world.publish("gone")
    world.subscribe(VICTIM, "gone", product=product)
    world.until_served(VICTIM, "gone")
    world.change(product, shared_with=[])
    until(lambda: world.ask(VICTIM, "gone").status == 404, "a withdrawn product is unknown")
    assert "gone" not in world.listed(VICTIM)
    world.price(product, DEAR)
    world.change(product, shared_with=[VICTIM])
    world.until_served(VICTIM, "gone")
    assert world.charged(VICTIM, "gone")[1] == f"{product}/prices/1"
    world.change(product, lifecycle=registry_pb2.LIFECYCLE_RETIRED)
    until(lambda: world.ask(VICTIM, "gone").status == 404, "a retired product is unknown")


def test_a_subscription_by_publisher_accepts_what_comes_and_no_raise(world: World) -> None:
    name = world.subscribe(BYSTANDER, "all", publisher=ATTACKER).name
    product = world.publish("later")
    world.until_served(BYSTANDER, "later")
    world.price(product, DEAR)
    until(lambda: world.charged(ATTACKER, "later")[1] == f"{product}/prices/2", "the price holds for its owner")
    assert world.charged(BYSTANDER, "later")[1] == f"{product}/prices/1"
    assert world.charged(BYSTANDER, POPULAR)[0] == f"domains/shared/models/{POPULAR}"
    world.registry(BYSTANDER, "DeleteSubscription", registry_pb2.DeleteSubscriptionRequest(name=name))
    until(lambda: world.ask(BYSTANDER, "later").status == 404, "what is cancelled serves no more")


def test_a_route_of_ones_own_leads_to_no_model_that_is_not_accepted(world: World) -> None:
    product = world.publish("reached")
    request = route("sneak", "sneak", product)
    request.parent = VICTIM
    world.router(VICTIM, "CreateRoute", request)
    reply = world.ask(VICTIM, "sneak")
    assert (reply.status, reply.code) == (400, "no_eligible_target")
    assert "sneak" not in world.listed(VICTIM)


def test_nobody_consents_for_others_or_publishes_for_all(world: World) -> None:
    product = world.publish("forced")
    forced = registry_pb2.CreateSubscriptionRequest(
        parent=VICTIM, subscription_id="forced", subscription=registry_pb2.Subscription(product=product)
    )
    calls: list[tuple[str, str, Any]] = [
        ("registry", "CreateSubscription", forced),
        ("registry", "ListOffers", registry_pb2.ListOffersRequest(parent=VICTIM)),
        ("registry", "ListOffers", registry_pb2.ListOffersRequest(parent="domains/-")),
        ("registry", "ListSubscriptions", registry_pb2.ListSubscriptionsRequest(parent=VICTIM)),
        ("registry", "CreateModel", registry_pb2.CreateModelRequest(parent="domains/shared", model_id="m", model=model("m", "sim-echo"))),
        ("registry", "ApplyModels", registry_pb2.ApplyModelsRequest(parent="domains/shared", models=[model("m", "sim-echo")])),
        ("registry", "ApplyModels", registry_pb2.ApplyModelsRequest(parent="domains/platform", models=[model("m", "sim-echo")])),
        ("registry", "GetAcceptedProduct", registry_pb2.GetAcceptedProductRequest(domain=VICTIM, product=product)),
        ("registry", "PutRouteOffers", registry_pb2.PutRouteOffersRequest()),
        (
            "router",
            "CreateRoute",
            router_pb2.CreateRouteRequest(parent="domains/shared", route_id="r", route=route("r", "r", product).route),
        ),
    ]
    for service, method, request in calls:
        code = refused(lambda: getattr(world, service)(ATTACKER, method, request)).code  # noqa: B023 (called at once)
        assert code in {CODES.PERMISSION_DENIED, CODES.UNIMPLEMENTED}, method
    inside = registry_pb2.Subscription(name=f"{VICTIM}/subscriptions/forced", product=product)
    wanted = registry_pb2.ApplySubscriptionsRequest(parent=ATTACKER, subscriptions=[inside])
    assert refused(lambda: world.registry(ATTACKER, "ApplySubscriptions", wanted)).code == CODES.INVALID_ARGUMENT
    stub: Any = registry_pb2_grpc.RegistryServiceStub(world.mesh.channel)
    assert refused(lambda: stub.CreateSubscription(forced, metadata=bearer(world.keys.app[VICTIM]))).code == CODES.PERMISSION_DENIED
    assert world.ask(VICTIM, "forced").status == 404


def test_an_offer_to_another_domain_looks_like_nothing(world: World) -> None:
    product = world.publish("private")
    world.change(product, shared_with=[BYSTANDER])
    absent = f"{ATTACKER}/models/absent"
    answers = [
        refused(lambda: world.subscribe(VICTIM, "private", product=name)).message.replace(name, "it")  # noqa: B023 (called at once)
        for name in (product, absent)
    ]
    assert answers[0] == answers[1]
    listed = world.registry(VICTIM, "ListOffers", registry_pb2.ListOffersRequest(parent=VICTIM, page_size=1000)).offers
    assert product not in {offer.product for offer in listed}
    assert "bystander" not in json.dumps([str(offer) for offer in listed])


def test_changes_of_subscriptions_are_in_the_audit_trail(world: World) -> None:
    product = world.publish("audited")
    name = world.subscribe(VICTIM, "audited", product=product).name
    stub: Any = rules_pb2_grpc.RuleServiceStub(world.mesh.channel)
    request = rules_pb2.ListAuditRecordsRequest(parent=VICTIM, page_size=1000)
    records = stub.ListAuditRecords(request, metadata=bearer(world.keys.admin[VICTIM])).records
    assert any(record.resource == name and record.action == "subscriptions.create" for record in records)


def test_consent_does_not_lift_what_the_platform_forbids(world: World) -> None:
    product = world.publish("forbidden")
    world.subscribe(BYSTANDER, "forbidden", product=product)
    world.until_served(BYSTANDER, "forbidden")
    name = "domains/platform/floors/bystander"
    world.mesh.apply_policy(floors=[floors_pb2.Floor(name=name, may_accept_from=["-"])])
    until(lambda: world.ask(BYSTANDER, "forbidden").code == "plan_not_admitted", "the floor forbids it")
    assert world.charged(BYSTANDER, POPULAR)[0] == f"domains/shared/models/{POPULAR}"
    world.mesh.apply_policy(floors=[floors_pb2.Floor(name=name, may_accept_from=[ATTACKER])])
    world.until_served(BYSTANDER, "forbidden")
