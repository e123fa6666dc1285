"""Each administrative change that registry, router and catalogue offer, in an order in which all succeed."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from llm_mesh.catalogue.v1 import catalogue_pb2, catalogue_pb2_grpc
from llm_mesh.inference.v1 import content_pb2
from llm_mesh.policy.v1 import rules_pb2, rules_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from tests.proofs.every_rpc import every_rpc
from tests.proofs.stand import INPUT_PRICE, OUTPUT_PRICE, Stand, bearer, model

AREAS = ("registry", "router", "catalogue")
READING = ("Get", "List", "Diff", "Render", "Explain")
STUBS: dict[str, Callable[[Any], Any]] = {
    "registry": registry_pb2_grpc.RegistryServiceStub,
    "router": router_pb2_grpc.RouterServiceStub,
    "catalogue": catalogue_pb2_grpc.CatalogueServiceStub,
}
DEFAULT, OTHER = "domains/default", "domains/other"
WHY = "ticket 4711: gr%C3%B6%C3%9Fer"
REQUESTS = itertools.count()


def mutating() -> set[str]:
    """Methods of these services that are open to keys and change something, from the descriptors: `registry.CreateModel`."""
    found = set()
    for rpc in every_rpc():
        area, name = rpc.path.split(".")[1], rpc.path.rpartition("/")[2]
        if area in AREAS and rpc.public and not name.startswith(READING):
            found.add(f"{area}.{name}")
    return found


@dataclass
class Changes:
    """Makes changes with a request id and a reason, and looks up what was recorded of each."""

    mesh: Stand

    def call(self, method: str, request: Any, key: str = "") -> tuple[Any, list[rules_pb2.AuditRecord]]:
        area, name = method.split(".")
        request_id = f"change-{next(REQUESTS)}"
        metadata = (*bearer(key or self.mesh.mesh.admin_key), ("x-request-id", request_id), ("x-llm-mesh-reason", WHY))
        stub: Any = STUBS[area](self.mesh.channel)
        answer = getattr(stub, name)(request, metadata=metadata, timeout=20)
        return answer, self.recorded(request_id)

    def recorded(self, request_id: str) -> list[rules_pb2.AuditRecord]:
        stub: Any = rules_pb2_grpc.RuleServiceStub(self.mesh.channel)
        request = rules_pb2.ListAuditRecordsRequest(parent="domains/-", request_id=request_id, page_size=1000)
        records = [record for record in stub.ListAuditRecords(request, metadata=self.mesh.admin).records if record.source in AREAS]
        return list(reversed(records))


def later() -> Timestamp:
    made = Timestamp()
    made.FromSeconds(int(time.time()) + 86_400)
    return made


def version(text: str = "Hello {{ name }}") -> catalogue_pb2.PromptVersion:
    message = catalogue_pb2.MessageTemplate(role=content_pb2.ROLE_USER, template=text)
    schema = json.dumps({"type": "object", "properties": {"name": {"type": "string"}}})
    return catalogue_pb2.PromptVersion(messages=[message], variables_schema_json=schema)


def route(name: str, alias: str, model_name: str) -> router_pb2.Route:
    return router_pb2.Route(name=name, alias=alias, targets=[router_pb2.RouteTarget(model=model_name)])


MODEL, OFFERED = f"{DEFAULT}/models/audited", f"{OTHER}/models/offered"
ROUTE, PROMPT = f"{DEFAULT}/routes/audited", f"{DEFAULT}/prompts/audited"
SUBSCRIPTION, ENDPOINT = f"{DEFAULT}/subscriptions/audited", "adapters/openai/endpoints/audited"


def offered() -> registry_pb2.Model:
    made = model("offered", "sim-echo", domain=OTHER)
    made.shared_with.append("*")
    return made


def etag(changes: Changes, name: str) -> str:
    """The present etag of a resource."""
    readers: dict[str, tuple[str, Any, str]] = {
        "models": ("registry.GetModel", registry_pb2.GetModelRequest(name=name), "model"),
        "routes": ("router.GetRoute", router_pb2.GetRouteRequest(name=name), "route"),
        "prompts": ("catalogue.GetPrompt", catalogue_pb2.GetPromptRequest(name=name), "prompt"),
        "subscriptions": ("registry.GetSubscription", registry_pb2.GetSubscriptionRequest(name=name), "subscription"),
    }
    method, request, kind = readers[name.split("/")[2]]
    answer, _ = changes.call(method, request)
    return str(getattr(answer, kind).etag)


Step = tuple[str, Callable[[Changes], Any], dict[str, str]]
"""A method, its request, and what it changes: `+` creates, `~` updates, `-` deletes."""
STEPS: list[Step] = [
    (
        "registry.CreateModel",
        lambda _: registry_pb2.CreateModelRequest(parent=DEFAULT, model_id="audited", model=model("audited", "sim-echo", domain=DEFAULT)),
        {MODEL: "+", f"{MODEL}/prices/1": "+"},
    ),
    (
        "registry.UpdateModel",
        lambda changes: registry_pb2.UpdateModelRequest(
            model=registry_pb2.Model(name=MODEL, etag=etag(changes, MODEL), display_name="Audited"),
            update_mask=FieldMask(paths=["display_name"]),
        ),
        {MODEL: "~"},
    ),
    (
        "registry.CreatePrice",
        lambda _: registry_pb2.CreatePriceRequest(
            parent=MODEL,
            price=registry_pb2.Price(
                currency="USD", input_nanos_per_million=INPUT_PRICE + 5, output_nanos_per_million=OUTPUT_PRICE, source="a proof"
            ),
        ),
        {f"{MODEL}/prices/2": "+"},
    ),
    ("registry.DeprecateModel", lambda _: registry_pb2.DeprecateModelRequest(name=MODEL, retire_time=later()), {MODEL: "~"}),
    (
        "registry.PutAdapter",
        lambda _: registry_pb2.PutAdapterRequest(adapter=registry_pb2.Adapter(name="adapters/audited", dialect="openai")),
        {"adapters/audited": "+"},
    ),
    (
        "registry.PutEndpoint",
        lambda _: registry_pb2.PutEndpointRequest(endpoint=registry_pb2.Endpoint(name=ENDPOINT, operator="domains/platform")),
        {ENDPOINT: "+"},
    ),
    ("registry.DeleteEndpoint", lambda _: registry_pb2.DeleteEndpointRequest(name=ENDPOINT), {ENDPOINT: "-"}),
    (
        "registry.ApplyModels",
        lambda _: registry_pb2.ApplyModelsRequest(
            parent="domains/platform",
            models=[offered()],
            adapters=[registry_pb2.Adapter(name="adapters/audited", dialect="anthropic")],
            endpoints=[registry_pb2.Endpoint(name=ENDPOINT, operator="domains/platform")],
        ),
        {ENDPOINT: "+", OFFERED: "+", f"{OFFERED}/prices/1": "+", "adapters/audited": "~"},
    ),
    (
        "registry.CreateSubscription",
        lambda _: registry_pb2.CreateSubscriptionRequest(
            parent=DEFAULT, subscription_id="audited", subscription=registry_pb2.Subscription(product=OFFERED)
        ),
        {SUBSCRIPTION: "+"},
    ),
    (
        "registry.UpdateSubscription",
        lambda changes: registry_pb2.UpdateSubscriptionRequest(
            subscription=registry_pb2.Subscription(name=SUBSCRIPTION, etag=etag(changes, SUBSCRIPTION), alias="ours"),
            update_mask=FieldMask(paths=["alias"]),
        ),
        {SUBSCRIPTION: "~"},
    ),
    (
        "registry.ApplySubscriptions",
        lambda _: registry_pb2.ApplySubscriptionsRequest(
            parent=DEFAULT, subscriptions=[registry_pb2.Subscription(name=SUBSCRIPTION, product=OFFERED, alias="theirs")]
        ),
        {SUBSCRIPTION: "~"},
    ),
    ("registry.DeleteSubscription", lambda _: registry_pb2.DeleteSubscriptionRequest(name=SUBSCRIPTION), {SUBSCRIPTION: "-"}),
    (
        "router.CreateRoute",
        lambda _: router_pb2.CreateRouteRequest(parent=DEFAULT, route_id="audited", route=route("", "audited-route", MODEL)),
        {ROUTE: "+"},
    ),
    (
        "router.UpdateRoute",
        lambda changes: router_pb2.UpdateRouteRequest(
            route=router_pb2.Route(name=ROUTE, alias="audited-2", targets=[router_pb2.RouteTarget(model=MODEL)], etag=etag(changes, ROUTE))
        ),
        {ROUTE: "~"},
    ),
    (
        "router.ApplyRoutes",
        lambda _: router_pb2.ApplyRoutesRequest(
            parent=DEFAULT, routes=[route(ROUTE, "audited-3", MODEL), route(f"{ROUTE}-too", "audited-4", MODEL)]
        ),
        {ROUTE: "~", f"{ROUTE}-too": "+"},
    ),
    ("router.DeleteRoute", lambda _: router_pb2.DeleteRouteRequest(name=ROUTE), {ROUTE: "-"}),
    ("catalogue.CreatePrompt", lambda _: catalogue_pb2.CreatePromptRequest(parent=DEFAULT, prompt_id="audited"), {PROMPT: "+"}),
    (
        "catalogue.CreateVersion",
        lambda _: catalogue_pb2.CreateVersionRequest(parent=PROMPT, version=version()),
        {f"{PROMPT}/versions/1": "+", PROMPT: "~"},
    ),
    (
        "catalogue.UpdatePrompt",
        lambda changes: catalogue_pb2.UpdatePromptRequest(
            prompt=catalogue_pb2.Prompt(name=PROMPT, description="audited", labels={"production": 1}, etag=etag(changes, PROMPT))
        ),
        {PROMPT: "~"},
    ),
    (
        "catalogue.ApplyPrompts",
        lambda _: catalogue_pb2.ApplyPromptsRequest(
            parent=DEFAULT, prompts=[catalogue_pb2.WantedPrompt(name=PROMPT, version=version("Bye {{ name }}"), labels=["production"])]
        ),
        {f"{PROMPT}/versions/2": "+", PROMPT: "~"},
    ),
]
