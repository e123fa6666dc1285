"""Every collection that can be added to has a quota, which also binds platform administrators."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import grpc
import pytest

import llm_mesh
from llm_mesh.catalogue.v1 import catalogue_pb2, catalogue_pb2_grpc
from llm_mesh.inference.v1 import content_pb2
from llm_mesh.mesh.v1 import access_pb2
from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, ledger_pb2, ledger_pb2_grpc, rules_pb2, rules_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from tests.proofs.refusals import refused
from tests.proofs.stand import PATIENCE, Stand, provider, stand

FULL_DOMAIN = "domains/full"
PROJECT = f"{FULL_DOMAIN}/projects/p"
PERSON = f"{FULL_DOMAIN}/principals/p"
MODEL = f"{FULL_DOMAIN}/models/priced"
PROMPT = f"{FULL_DOMAIN}/prompts/versioned"
MOST = 12
QUOTAS = {
    "POLICY": ("DOMAINS", "PROJECTS", "PRINCIPALS", "KEYS", "ROLES", "BINDINGS", "PRINCIPAL_BINDINGS", "BUDGETS", "LIMITS"),
    "REGISTRY": ("MODELS", "PRICES", "ADAPTERS", "ENDPOINTS", "SUBSCRIPTIONS"),
    "ROUTER": ("ROUTES",),
    "CATALOGUE": ("PROMPTS", "VERSIONS"),
}
WITHOUT = {
    "CreateFeedback": "a row of a projection that is kept for a time",
}
"""Methods that add to no collection that somebody owns, and why they need no quota."""

Add = Callable[[Stand, int], Any]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A mesh whose quotas are small, with a domain to fill."""
    env = {f"LLM_MESH_{service}_MOST_{name}": str(MOST) for service, names in QUOTAS.items() for name in names}
    folder = tmp_path_factory.mktemp("quotas")
    with provider(folder) as simulator, stand(folder, simulator, env | {"LLM_MESH_REGISTRY_MOST_MODELS": "40"}) as made:
        made.apply_policy(
            domains=[identity_pb2.Domain(name=FULL_DOMAIN)],
            projects=[identity_pb2.Project(name=PROJECT)],
            principals=[identity_pb2.Principal(name=PERSON)],
        )
        model = registry_pb2.Model(name=MODEL, alias="priced", adapter="openai", endpoint="simulator", upstream_model="sim-echo")
        registry: Any = registry_pb2_grpc.RegistryServiceStub(made.channel)
        registry.ApplyModels(registry_pb2.ApplyModelsRequest(parent="domains/platform", models=[model]), metadata=made.admin)
        catalogue: Any = catalogue_pb2_grpc.CatalogueServiceStub(made.channel)
        catalogue.ApplyPrompts(catalogue_pb2.ApplyPromptsRequest(parent=FULL_DOMAIN, prompts=[_prompt(PROMPT, 0)]), metadata=made.admin)
        yield made


def _prompt(name: str, number: int) -> catalogue_pb2.WantedPrompt:
    version = catalogue_pb2.PromptVersion()
    version.messages.add(role=content_pb2.ROLE_SYSTEM, template=f"text {number}")
    return catalogue_pb2.WantedPrompt(name=name, version=version)


def _model(number: int, prefix: str = "m") -> registry_pb2.Model:
    name = f"{prefix}{number}"
    return registry_pb2.Model(
        name=f"{FULL_DOMAIN}/models/{name}", alias=f"full-{name}", adapter="openai", endpoint="simulator", upstream_model="sim-echo"
    )


def _route(number: int, prefix: str = "r") -> router_pb2.Route:
    route = router_pb2.Route(name=f"{FULL_DOMAIN}/routes/{prefix}{number}", alias=f"full-{prefix}{number}")
    route.targets.add(model=MODEL)
    return route


def _price(number: int) -> registry_pb2.Price:
    """Above the least price that the endpoint of any topology has."""
    nanos = 10**9
    return registry_pb2.Price(currency="USD", input_nanos_per_million=nanos + number, output_nanos_per_million=nanos, source="a test")


def _budget(name: str, subject: str = "") -> ledger_pb2.Budget:
    budget = ledger_pb2.Budget(name=name, period=ledger_pb2.BUDGET_PERIOD_TOTAL, subject=subject)
    budget.amount.currency, budget.amount.nanos = "USD", 1
    return budget


def _limit(number: int, prefix: str = "l") -> ledger_pb2.Limit:
    name = f"{FULL_DOMAIN}/limits/{prefix}{number}"
    return ledger_pb2.Limit(name=name, subject=FULL_DOMAIN, metric=ledger_pb2.LIMIT_METRIC_CONCURRENCY, amount=100)


def _call(stub: Callable[[Any], Any], method: str, request: Any) -> Add:
    """A call by the administrator; `request` makes it from the stand and a number."""
    return lambda mesh, number: getattr(stub(mesh.channel), method)(request(number), metadata=mesh.admin, timeout=PATIENCE)


def _limits(number: int) -> rules_pb2.ApplyPolicyRequest:
    return rules_pb2.ApplyPolicyRequest(parent="domains/platform", limits=[_limit(number, "applied")])


def _adapter(number: int) -> registry_pb2.Adapter:
    return registry_pb2.Adapter(name=f"adapters/n{number}", dialect="openai")


def _prompts(number: int) -> catalogue_pb2.ApplyPromptsRequest:
    return catalogue_pb2.ApplyPromptsRequest(parent=FULL_DOMAIN, prompts=[_prompt(PROMPT, number + 100)])


IDENTITY, RULES, LEDGER = identity_pb2_grpc.IdentityServiceStub, rules_pb2_grpc.RuleServiceStub, ledger_pb2_grpc.LedgerServiceStub
REGISTRY, ROUTER, CATALOGUE = (
    registry_pb2_grpc.RegistryServiceStub,
    router_pb2_grpc.RouterServiceStub,
    catalogue_pb2_grpc.CatalogueServiceStub,
)

WAYS: Mapping[str, tuple[str, Add]] = {
    "CreateDomain": ("domains", _call(IDENTITY, "CreateDomain", lambda n: identity_pb2.CreateDomainRequest(domain_id=f"n{n}"))),
    "CreateProject": (
        "projects",
        _call(IDENTITY, "CreateProject", lambda n: identity_pb2.CreateProjectRequest(parent=FULL_DOMAIN, project_id=f"n{n}")),
    ),
    "CreatePrincipal": (
        "principals",
        _call(IDENTITY, "CreatePrincipal", lambda n: identity_pb2.CreatePrincipalRequest(parent=FULL_DOMAIN, principal_id=f"n{n}")),
    ),
    "CreateKey": (
        "keys",
        _call(IDENTITY, "CreateKey", lambda _: identity_pb2.CreateKeyRequest(parent=PROJECT, key=identity_pb2.Key(principal=PERSON))),
    ),
    "PutRole": (
        "roles",
        _call(RULES, "PutRole", lambda n: rules_pb2.PutRoleRequest(role=rules_pb2.Role(name=f"{FULL_DOMAIN}/roles/n{n}"))),
    ),
    "CreateBinding": (
        "principal_bindings",
        _call(
            RULES,
            "CreateBinding",
            lambda n: rules_pb2.CreateBindingRequest(
                parent=FULL_DOMAIN, binding_id=f"n{n}", binding=rules_pb2.Binding(principal=PERSON, role="roles/viewer")
            ),
        ),
    ),
    "PutBudget": (
        "budgets",
        _call(
            LEDGER,
            "PutBudget",
            lambda n: ledger_pb2.PutBudgetRequest(budget=_budget(f"domains/platform/budgets/n{n}", subject=FULL_DOMAIN)),
        ),
    ),
    "PutLimit": ("limits", _call(LEDGER, "PutLimit", lambda n: ledger_pb2.PutLimitRequest(limit=_limit(n)))),
    "ApplyPolicy": ("limits", _call(RULES, "ApplyPolicy", _limits)),
    "CreateModel": (
        "models",
        _call(REGISTRY, "CreateModel", lambda n: registry_pb2.CreateModelRequest(parent=FULL_DOMAIN, model_id=f"m{n}", model=_model(n))),
    ),
    "ApplyModels": (
        "models",
        _call(REGISTRY, "ApplyModels", lambda n: registry_pb2.ApplyModelsRequest(parent=FULL_DOMAIN, models=[_model(n, "a")])),
    ),
    "CreatePrice": ("prices", _call(REGISTRY, "CreatePrice", lambda n: registry_pb2.CreatePriceRequest(parent=MODEL, price=_price(n)))),
    "PutAdapter": (
        "adapters",
        _call(
            REGISTRY,
            "PutAdapter",
            lambda n: registry_pb2.PutAdapterRequest(adapter=_adapter(n)),
        ),
    ),
    "CreateRoute": (
        "routes",
        _call(ROUTER, "CreateRoute", lambda n: router_pb2.CreateRouteRequest(parent=FULL_DOMAIN, route_id=f"r{n}", route=_route(n))),
    ),
    "ApplyRoutes": (
        "routes",
        _call(ROUTER, "ApplyRoutes", lambda n: router_pb2.ApplyRoutesRequest(parent=FULL_DOMAIN, routes=[_route(n, "a")])),
    ),
    "CreatePrompt": (
        "prompts",
        _call(CATALOGUE, "CreatePrompt", lambda n: catalogue_pb2.CreatePromptRequest(parent=FULL_DOMAIN, prompt_id=f"n{n}")),
    ),
    "CreateVersion": (
        "versions",
        _call(CATALOGUE, "CreateVersion", lambda n: catalogue_pb2.CreateVersionRequest(parent=PROMPT, version=_prompt("", n + 1).version)),
    ),
    "ApplyPrompts": (
        "versions",
        _call(CATALOGUE, "ApplyPrompts", _prompts),
    ),
}
ELSEWHERE = {
    "CreateSubscription": "subscriptions: tests/registry/test_registry_subscriptions.py, and test_attack_sharing.py",
    "ApplySubscriptions": "likewise",
    "PutEndpoint": "endpoints, below",
    "CreateBatch": "batches and lines: tests/batches/test_batches_store.py",
    "CreateConversation": "conversations: tests/conversations/test_conversations_conversations.py",
    "CreateItems": "likewise",
    "CreateResponse": "responses: tests/conversations/test_conversations_responses.py",
    "PutFloor": "one for each domain, of which there are so many",
}
"""Methods whose quota is shown by another test."""


@pytest.mark.parametrize("method", WAYS)
def test_a_collection_has_an_end(mesh: Stand, method: str) -> None:
    collection, add = WAYS[method]

    def fill() -> None:
        for number in range(3 * MOST + 20):
            add(mesh, number)

    told = refused(fill)
    assert (told.code, told.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED"), told
    assert told.quota, told
    assert told.quota[0].endswith(f"/{collection}"), told
    assert f"_MOST_{collection.upper()}" in told.message


def test_endpoints_have_an_end(mesh: Stand) -> None:
    registry: Any = registry_pb2_grpc.RegistryServiceStub(mesh.channel)

    def fill() -> None:
        for number in range(3 * MOST):
            endpoint = registry_pb2.Endpoint(name=f"adapters/openai/endpoints/n{number}", operator="domains/platform")
            registry.ApplyModels(registry_pb2.ApplyModelsRequest(parent="domains/platform", endpoints=[endpoint]), metadata=mesh.admin)

    told = refused(fill)
    assert told.reason == "QUOTA_EXCEEDED", told


TOO_MANY: Mapping[str, tuple[str, Add]] = {
    "ApplyModels": (
        "models",
        _call(REGISTRY, "ApplyModels", lambda n: registry_pb2.ApplyModelsRequest(parent=FULL_DOMAIN, models=map(_model, range(n)))),
    ),
    "ApplyRoutes": (
        "routes",
        _call(ROUTER, "ApplyRoutes", lambda n: router_pb2.ApplyRoutesRequest(parent=FULL_DOMAIN, routes=map(_route, range(n)))),
    ),
    "ApplyPrompts": (
        "prompts",
        _call(
            CATALOGUE,
            "ApplyPrompts",
            lambda n: catalogue_pb2.ApplyPromptsRequest(
                parent=FULL_DOMAIN, prompts=[_prompt(f"{FULL_DOMAIN}/prompts/many{each}", each) for each in range(n)]
            ),
        ),
    ),
}


@pytest.mark.parametrize("method", TOO_MANY)
def test_one_call_takes_500_and_no_more(mesh: Stand, method: str) -> None:
    field, add = TOO_MANY[method]
    told = refused(lambda: add(mesh, 501))
    assert (told.code, told.reason, told.field) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", field), told
    assert refused(lambda: add(mesh, 500)).reason == "QUOTA_EXCEEDED"


def test_no_method_that_adds_is_forgotten() -> None:
    adding = set()
    for module in pkgutil.walk_packages(llm_mesh.__path__, "llm_mesh."):
        if not module.name.endswith("_pb2"):
            continue
        for service in importlib.import_module(module.name).DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                rule = method.GetOptions().Extensions[access_pb2.access]
                if rule.level == access_pb2.ACCESS_LEVEL_PUBLIC and method.name.startswith(("Create", "Put", "Apply", "Add", "Import")):
                    adding.add(method.name)
    known = WAYS.keys() | ELSEWHERE.keys() | WITHOUT.keys()
    assert adding - known == set(), "a method that adds to a collection without a quota"
    assert known - adding == set()
