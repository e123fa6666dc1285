"""What an alias means: a domain's own, what it accepted, what is shared; nothing of others, however they share it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_runtime.errors import MeshError
from tests.router.test_router_planning import Bench, attempts, model, route

CLAIMS, OTHER, PUBLISHER, SHARED = (f"domains/{name}" for name in ("claims", "other", "publisher", "shared"))
OFFERED = f"{PUBLISHER}/models/m"


def accepted(domain: str, product: str, message: registry_pb2.Model | router_pb2.Route, **fields: Any) -> registry_pb2.AcceptedProduct:
    """A product as a domain accepted it."""
    made = registry_pb2.AcceptedProduct(domain=domain, product=product, **({"alias": message.alias} | fields))
    (made.model if isinstance(message, registry_pb2.Model) else made.route).CopyFrom(message)  # type: ignore[arg-type]  # the branch says which
    return made


def reached(bench: Bench, alias: str, domain: str = CLAIMS) -> list[str]:
    """The models that an alias leads to; nothing where it does not exist or leads to none."""
    try:
        return [attempt.model for attempt in attempts(bench.plan(alias, domain=domain))]
    except MeshError as failure:
        if failure.reason_name not in {"MODEL_NOT_FOUND", "NO_ELIGIBLE_TARGET"}:
            raise
        return []


def test_an_accepted_model_is_planned_as_it_was_accepted() -> None:
    now = model(OFFERED, region="us", endpoint="elsewhere", shared_with=["*"])
    pinned = model(OFFERED, region="eu", price={"name": f"{OFFERED}/prices/1"}, free=False)
    bench = Bench(now, accepted=[accepted(CLAIMS, OFFERED, pinned)])
    (attempt,) = attempts(bench.plan("m"))
    assert (attempt.region, attempt.endpoint, attempt.price) == ("eu", "openai", f"{OFFERED}/prices/1")
    assert reached(bench, "m", OTHER) == []


def test_a_foreign_alias_stands_before_a_shared_one_only_where_the_domain_gave_it() -> None:
    theirs, shared = model(OFFERED, alias="sim-echo"), model(f"{SHARED}/models/e", alias="sim-echo")
    assert reached(Bench(theirs, shared, accepted=[accepted(CLAIMS, OFFERED, theirs)]), "sim-echo") == [shared.name]
    mine = accepted(CLAIMS, OFFERED, theirs, own_alias=True)
    assert reached(Bench(theirs, shared, accepted=[mine]), "sim-echo") == [OFFERED]
    own = route(f"{CLAIMS}/routes/r", (shared.name, 0, 1), alias="sim-echo")
    assert reached(Bench(theirs, shared, accepted=[mine], routes=[own]), "sim-echo") == [shared.name]


def test_of_two_accepted_products_of_one_alias_the_earlier_is_meant() -> None:
    first, second = model(f"{PUBLISHER}/models/z", alias="x"), model(f"{OTHER}/models/a", alias="x")
    both = [accepted(CLAIMS, product.name, product) for product in (first, second)]
    both[0].accept_time.FromMicroseconds(1)
    both[1].accept_time.FromMicroseconds(2)
    assert reached(Bench(accepted=both), "x") == [first.name]


def test_an_accepted_route_is_planned_as_it_was_accepted_while_it_is_offered() -> None:
    name, shared = f"{PUBLISHER}/routes/r", model(f"{SHARED}/models/a")
    pinned = route(name, (shared.name, 0, 1))
    changed = route(name, (OFFERED, 0, 1), shared_with=["*"])
    consent = accepted(CLAIMS, name, pinned)
    assert reached(Bench(shared, model(OFFERED), routes=[changed], accepted=[consent]), "r") == [shared.name]
    for withdrawn in ([], [route(name, (shared.name, 0, 1))]):
        bench = Bench(shared, routes=withdrawn, accepted=[consent])
        assert reached(bench, "r") == []
        assert "r" not in {alias.alias for alias in asyncio.run(bench.router.aliases(CLAIMS))}


@pytest.mark.parametrize(("shared_with", "rule"), [(["*"], "not_accepted"), ([CLAIMS], "not_accepted"), ([], ""), ([OTHER], "")])
@pytest.mark.parametrize("owner", [CLAIMS, SHARED])
def test_a_route_to_a_model_that_is_not_accepted_excludes_it(owner: str, shared_with: list[str], rule: str) -> None:
    bench = Bench(model(OFFERED, shared_with=shared_with), routes=[route(f"{owner}/routes/r", (OFFERED, 0, 1))])
    with pytest.raises(MeshError) as failure:
        bench.plan("r")
    excluded = {key: rule for key, rule in failure.value.metadata.items() if key.startswith("excluded.")}
    assert excluded == ({f"excluded.{OFFERED}": rule} if rule else {})
    assert asyncio.run(bench.router.aliases(CLAIMS)) == []


def test_a_change_of_what_is_accepted_is_planned_by_at_once() -> None:
    bench = Bench(model(OFFERED, shared_with=["*"]), routes=[route(f"{CLAIMS}/routes/r", (OFFERED, 0, 1))])
    assert reached(bench, "r") == []
    bench.accepted.put(accepted(CLAIMS, OFFERED, model(OFFERED)))
    assert reached(bench, "r") == [OFFERED]
    bench.accepted.put(accepted(CLAIMS, OFFERED, model(OFFERED), alias="mine"))
    assert (reached(bench, "mine"), reached(bench, "m")) == ([OFFERED], [])
    bench.accepted.remove(CLAIMS, OFFERED)
    assert (reached(bench, "r"), reached(bench, "mine")) == ([], [])


DOMAINS = [CLAIMS, OTHER, PUBLISHER, SHARED]
ALIASES = ["a", "b", "c"]
RECEIVERS = st.sampled_from([[], ["*"], [CLAIMS], [OTHER], [CLAIMS, OTHER]])


@dataclass
class Drawn:
    """A random mesh."""

    models: list[registry_pb2.Model] = field(default_factory=list)
    routes: list[router_pb2.Route] = field(default_factory=list)
    accepted: list[registry_pb2.AcceptedProduct] = field(default_factory=list)


@st.composite
def meshes(draw: st.DrawFn) -> Drawn:
    """Models, routes and what was accepted: aliases of one kind are unique in a domain, as their services see to."""
    mesh = Drawn()
    places = draw(st.lists(st.tuples(st.sampled_from(DOMAINS), st.sampled_from(ALIASES)), unique=True, max_size=8))
    for domain, alias in places:
        mesh.models.append(model(f"{domain}/models/{alias}", alias=alias, shared_with=draw(RECEIVERS)))
    names = [f"{domain}/models/{alias}" for domain in DOMAINS for alias in ALIASES]
    for domain, alias in draw(st.lists(st.tuples(st.sampled_from(DOMAINS), st.sampled_from(ALIASES)), unique=True, max_size=6)):
        targets = draw(st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=3))
        places_of = [(target, place, 1) for place, target in enumerate(targets)]
        mesh.routes.append(route(f"{domain}/routes/{alias}", *places_of, alias=alias, shared_with=draw(RECEIVERS)))
    products: list[registry_pb2.Model | router_pb2.Route] = [*mesh.models, *mesh.routes]
    given: set[tuple[str, str]] = {(domain, alias) for domain, alias in places}
    for receiver in (CLAIMS, OTHER):
        for product in products:
            owner = product.name.split("/models/")[0].split("/routes/")[0]
            if owner in (receiver, SHARED) or not draw(st.booleans()):
                continue
            if isinstance(product, registry_pb2.Model) and not {"*", receiver} & set(product.shared_with):
                continue  # the registry does not tell of what is not offered any more
            alias = draw(st.sampled_from(["", *ALIASES]))
            own = bool(alias) and (receiver, alias) not in given
            if own:
                given.add((receiver, alias))
            consent = accepted(receiver, product.name, product, alias=alias if own else product.alias, own_alias=own)
            consent.accept_time.FromMicroseconds(draw(st.integers(1, 3)))
            mesh.accepted.append(consent)
    return mesh


def oracle(mesh: Drawn, domain: str, alias: str) -> list[str]:
    """The models that an alias leads to, from the rules as the documentation has them, written apart from the router."""

    def owned(items: list[Any], owner: str) -> list[Any]:
        return [item for item in items if item.name.startswith(owner + "/") and item.alias == alias]

    def usable(name: str) -> bool:
        exists = any(item.name == name for item in mesh.models)
        mine = name.startswith((domain + "/", SHARED + "/")) and exists
        return mine or any(consent.domain == domain and consent.product == name for consent in mesh.accepted)

    def offered(consent: registry_pb2.AcceptedProduct) -> bool:
        receivers = {item.name: item.shared_with for item in mesh.models} | {item.name: item.shared_with for item in mesh.routes}
        return bool({"*", domain} & set(receivers.get(consent.product, ())))

    def targets_of(item: Any) -> list[str]:
        return [target.model for target in item.targets] if isinstance(item, router_pb2.Route) else [item.name]

    consents = [consent for consent in mesh.accepted if consent.domain == domain and consent.alias == alias and offered(consent)]
    consents.sort(key=lambda one: (one.accept_time.ToMicroseconds(), not one.HasField("route"), one.product))
    products = {consent.product: consent.route if consent.HasField("route") else consent.model for consent in consents}
    order: list[Any] = [
        *owned(mesh.routes, domain),
        *owned(mesh.models, domain),
        *(products[consent.product] for consent in consents if consent.own_alias),
        *owned(mesh.routes, SHARED),
        *owned(mesh.models, SHARED),
        *(products[consent.product] for consent in consents if not consent.own_alias),
    ]
    return [name for name in targets_of(order[0]) if usable(name)] if order else []


@settings(max_examples=600, deadline=None)
@given(meshes())
def test_every_alias_leads_where_the_order_of_resolution_says_and_is_listed_only_then(mesh: Drawn) -> None:
    bench = Bench(*mesh.models, routes=mesh.routes, accepted=mesh.accepted)
    for domain in (CLAIMS, OTHER, PUBLISHER):
        listed = {alias.alias for alias in asyncio.run(bench.router.aliases(domain))}
        for alias in ALIASES:
            expected = oracle(mesh, domain, alias)
            assert sorted(reached(bench, alias, domain)) == sorted(expected), (domain, alias)
            assert (alias in listed) == bool(expected), (domain, alias)


@settings(max_examples=200, deadline=None)
@given(meshes(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_were_heard_changes_nothing(mesh: Drawn, random: Any) -> None:
    bench = Bench(*mesh.models, routes=mesh.routes, accepted=mesh.accepted)
    told: list[Any] = [*mesh.models, *mesh.accepted, *mesh.models, *mesh.accepted]
    random.shuffle(told)
    other = Bench(routes=mesh.routes)
    for item in told:
        (other.models if isinstance(item, registry_pb2.Model) else other.accepted).put(item)
    for alias in ALIASES:
        assert sorted(reached(other, alias)) == sorted(reached(bench, alias))


def test_the_router_has_models_while_one_is_in_service() -> None:
    retired = model(f"{SHARED}/models/r", lifecycle=registry_pb2.LIFECYCLE_RETIRED)
    preview = model(f"{CLAIMS}/models/p", lifecycle=registry_pb2.LIFECYCLE_PREVIEW)
    assert not Bench().router.has_models()
    assert not Bench(retired).router.has_models()
    assert Bench(retired, preview).router.has_models(), "its own domain may address it"
