"""A domain's administrator claims facts about endpoints that only their operator may state, in every way that its rights offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.policy.v1 import identity_pb2, rules_pb2, rules_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from tests.proofs.load import chat_body
from tests.proofs.refusals import Refusal, refused
from tests.proofs.stand import Stand, bearer, provider, stand, until

CLAIMS, SALES = "domains/claims", "domains/sales"
ENDPOINT = "adapters/openai/endpoints/simulator"
FACTS = registry_pb2.Endpoint(
    name=ENDPOINT,
    operator="domains/platform",
    region="eu",
    credentials=["team"],
    upstream_models=["sim-echo", "sim-words"],
    price_floor=registry_pb2.PriceFloor(currency="USD", input_nanos_per_million=1_000_000, output_nanos_per_million=1_000_000),
)


@dataclass(frozen=True)
class Attacker:
    """The administrator of `domains/claims`."""

    mesh: Stand
    key: str

    def call(self, method: str, request: Any) -> Any:
        stub: Any = registry_pb2_grpc.RegistryServiceStub(self.mesh.channel)
        return getattr(stub, method)(request, metadata=bearer(self.key), timeout=20)

    def refused(self, method: str, request: Any) -> Refusal:
        return refused(lambda: self.call(method, request))


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("facts")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        wanted: dict[str, list[Any]] = {"domains": [], "projects": [], "principals": [], "bindings": []}
        for domain in (CLAIMS, SALES):
            wanted["domains"].append(identity_pb2.Domain(name=domain))
            wanted["projects"].append(identity_pb2.Project(name=f"{domain}/projects/main"))
            for person, role in (("owner", "roles/domain-admin"), ("app", "roles/application")):
                principal = f"{domain}/principals/{person}"
                wanted["principals"].append(identity_pb2.Principal(name=principal))
                wanted["bindings"].append(rules_pb2.Binding(name=f"{domain}/bindings/{person}", principal=principal, role=role))
        made.apply_policy(**wanted)
        operate(made)
        yield made


@pytest.fixture(scope="module")
def attacker(mesh: Stand) -> Attacker:
    return Attacker(mesh, mesh.new_key(f"{CLAIMS}/projects/main", f"{CLAIMS}/principals/owner").secret)


@pytest.fixture(scope="module")
def present(attacker: Attacker) -> registry_pb2.Model:
    """A model that keeps to the facts."""
    request = registry_pb2.CreateModelRequest(parent=CLAIMS, model_id="own", model=model("own"))
    created: registry_pb2.Model = attacker.call("CreateModel", request).model
    return created


def operate(mesh: Stand, **facts: Any) -> None:
    """The operator states the facts of the simulator's endpoint."""
    endpoint = registry_pb2.Endpoint()
    endpoint.CopyFrom(FACTS)
    for name, value in facts.items():
        endpoint.ClearField(name)
        endpoint.MergeFrom(registry_pb2.Endpoint(**{name: value}))
    stub: Any = registry_pb2_grpc.RegistryServiceStub(mesh.channel)
    stub.PutEndpoint(registry_pb2.PutEndpointRequest(endpoint=endpoint), metadata=mesh.admin)


def price(input_nanos: int = 2_000_000, output_nanos: int = 2_000_000, currency: str = "USD") -> registry_pb2.Price:
    rates: dict[str, Any] = {"input_nanos_per_million": input_nanos, "output_nanos_per_million": output_nanos}
    return registry_pb2.Price(currency=currency, source="an attack", **rates)


def model(alias: str, **fields: Any) -> registry_pb2.Model:
    made = registry_pb2.Model(
        alias=alias,
        adapter="openai",
        endpoint="simulator",
        upstream_model="sim-echo",
        capabilities=["generate", "streaming"],
        price=price(),
    )
    for name, value in fields.items():
        made.ClearField(name)
        if value is not None:
            made.MergeFrom(registry_pb2.Model(**{name: value}))
    return made


CLAIMED: list[tuple[str, dict[str, Any]]] = [
    ("region", {"region": "us"}),
    ("data_classes", {"data_classes": ["public", "restricted"]}),
    ("zero_retention", {"zero_retention": True}),
    ("credential", {"credential": "operators-own"}),
    ("upstream_model", {"upstream_model": "sim-slow"}),
    ("free", {"free": True, "price": None}),
    ("price", {"price": price(0, 0)}),
    ("price", {"price": price(999_999)}),
    ("price", {"price": price(output_nanos=1)}),
    ("price", {"price": price(currency="JPY")}),
    ("region", {"endpoint": "nobody", "region": "eu", "price": None}),
    ("price", {"endpoint": "nobody"}),
    ("free", {"endpoint": "nobody", "free": True, "price": None}),
    ("price", {"endpoint": "nobody", "price": price(0, 0)}),
    ("credential", {"endpoint": "nobody", "credential": "team", "price": None}),
    ("zero_retention", {"adapter": "anthropic", "endpoint": "elsewhere", "zero_retention": True, "price": None}),
]


@pytest.mark.parametrize(("field", "fields"), CLAIMED)
def test_no_way_of_writing_a_model_escalates(
    mesh: Stand, attacker: Attacker, present: registry_pb2.Model, field: str, fields: dict[str, Any]
) -> None:
    denied = (grpc.StatusCode.PERMISSION_DENIED, "ESCALATION_DENIED")
    created = attacker.refused(
        "CreateModel", registry_pb2.CreateModelRequest(parent=CLAIMS, model_id="more", model=model("more", **fields))
    )
    assert (created.code, created.reason, created.field) == (*denied, f"model.{field}"), created
    applied = registry_pb2.ApplyModelsRequest(parent=CLAIMS, models=[model("more", **fields), model("own", **fields)])
    applied.models[0].name, applied.models[1].name = f"{CLAIMS}/models/more", present.name
    told = attacker.refused("ApplyModels", applied)
    assert (told.code, told.reason, told.field) == (*denied, f"models[0].{field}"), told
    if "price" not in fields or fields["price"] is None:
        updated = model("own", **fields)
        updated.name, updated.etag = present.name, present.etag
        mask = FieldMask(paths=[name for name in fields if name != "price"])
        told = attacker.refused("UpdateModel", registry_pb2.UpdateModelRequest(model=updated, update_mask=mask))
        moved = {"model.price"} if "endpoint" in fields else set()  # its price goes along to an endpoint that has none
        assert (told.code, told.reason) == denied, told
        assert told.field in {f"model.{field}", *moved}, told
    elif "endpoint" not in fields:
        told = attacker.refused("CreatePrice", registry_pb2.CreatePriceRequest(parent=present.name, price=fields["price"]))
        assert (told.code, told.reason, told.field) == (*denied, "price"), told
    found = attacker.call("GetModel", registry_pb2.GetModelRequest(name=present.name)).model
    assert found == present


def test_a_refused_escalation_is_in_the_audit_trail(mesh: Stand, attacker: Attacker) -> None:
    stub: Any = registry_pb2_grpc.RegistryServiceStub(mesh.channel)
    request = registry_pb2.CreateModelRequest(parent=CLAIMS, model_id="more", model=model("more", region="us"))
    metadata = (*bearer(attacker.key), ("x-request-id", "an-escalation"), ("x-llm-mesh-reason", "because I can"))
    assert refused(lambda: stub.CreateModel(request, metadata=metadata)).reason == "ESCALATION_DENIED"
    rules: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    listed = rules_pb2.ListAuditRecordsRequest(parent=CLAIMS, request_id="an-escalation")
    [record] = rules.ListAuditRecords(listed, metadata=mesh.admin).records
    assert (record.action, record.resource, record.allowed) == ("models.create", f"{CLAIMS}/models/more", False)
    assert (record.principal, record.reason, record.source) == (f"{CLAIMS}/principals/owner", "because I can", "registry")
    assert "region" in record.detail


def test_only_the_platform_states_facts_or_writes_models_of_all(mesh: Stand, attacker: Attacker) -> None:
    endpoint = registry_pb2.Endpoint(name=ENDPOINT, operator=CLAIMS, free_allowed=True)
    for method, request in (
        ("PutEndpoint", registry_pb2.PutEndpointRequest(endpoint=endpoint)),
        ("DeleteEndpoint", registry_pb2.DeleteEndpointRequest(name=ENDPOINT)),
        ("PutAdapter", registry_pb2.PutAdapterRequest(adapter=registry_pb2.Adapter(name="adapters/openai", dialect="openai"))),
        ("CreateModel", registry_pb2.CreateModelRequest(parent="domains/shared", model_id="more", model=model("more", free=True))),
        ("CreateModel", registry_pb2.CreateModelRequest(parent="domains/platform", model_id="more", model=model("more", free=True))),
        ("ApplyModels", registry_pb2.ApplyModelsRequest(parent="domains/platform", endpoints=[endpoint])),
        ("ApplyModels", registry_pb2.ApplyModelsRequest(parent="domains/shared", models=[model("more", free=True)])),
    ):
        told = attacker.refused(method, request)
        assert (told.code, told.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ACTION_DENIED"), (method, told)
    told = attacker.refused("ApplyModels", registry_pb2.ApplyModelsRequest(parent=CLAIMS, endpoints=[endpoint]))
    assert (told.reason, told.field) == ("INVALID_FIELD", "endpoints")


def test_a_domain_learns_of_no_endpoint_and_no_domain_beside_its_own(mesh: Stand, attacker: Attacker) -> None:
    hidden = "adapters/openai/endpoints/hidden"
    stub: Any = registry_pb2_grpc.RegistryServiceStub(mesh.channel)
    request = registry_pb2.PutEndpointRequest(endpoint=registry_pb2.Endpoint(name=hidden, operator=SALES, domains=[SALES]))
    stub.PutEndpoint(request, metadata=mesh.admin)
    listed = attacker.call("ListEndpoints", registry_pb2.ListEndpointsRequest()).endpoints
    assert ENDPOINT in {endpoint.name for endpoint in listed}
    assert SALES not in "".join(str(endpoint) for endpoint in listed)
    told = [attacker.refused("GetEndpoint", registry_pb2.GetEndpointRequest(name=name)) for name in (hidden, hidden[:-1] + "x")]
    assert {(each.code, each.reason) for each in told} == {(grpc.StatusCode.NOT_FOUND, "NOT_FOUND")}
    moved = registry_pb2.CreateModelRequest(parent=CLAIMS, model_id="more", model=model("more", endpoint="hidden"))
    told_of = attacker.refused("CreateModel", moved)
    assert (told_of.reason, told_of.field) == ("ESCALATION_DENIED", "model.endpoint")
    assert SALES not in told_of.message


def test_an_endpoint_that_becomes_stricter_ends_a_model_that_exceeds_it(
    mesh: Stand, attacker: Attacker, present: registry_pb2.Model
) -> None:
    key = mesh.new_key(f"{CLAIMS}/projects/main", f"{CLAIMS}/principals/app").secret

    def status() -> int:
        return mesh.ask(chat_body("own", "hi"), key=key).status

    until(lambda: status() == 200, "the model serves its domain", pause=0.05)
    try:
        for facts in ({"upstream_models": ["sim-words"]}, {"domains": [SALES]}, {"price_floor": registry_pb2.PriceFloor(currency="EUR")}):
            operate(mesh, **facts)
            until(lambda: status() >= 400, f"the model ends with {facts}", pause=0.05)
            found = attacker.call("GetModel", registry_pb2.GetModelRequest(name=present.name)).model
            assert found.conflicts
            assert not found.HasField("price")
            operate(mesh)
            until(lambda: status() == 200, f"the model serves again without {facts}", pause=0.05)
    finally:
        operate(mesh)
