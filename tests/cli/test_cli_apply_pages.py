"""What one call does not take is sent in several: each can be taken by itself, and together they are the whole file."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.policy.v1 import identity_pb2, ledger_pb2, rules_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_cli.apply.pages import MOST_ENTRIES, MOST_MONEY, pages

FIELDS = ("floors", "domains", "projects", "principals", "roles", "bindings", "budgets", "limits")


def policy(domains: int, people: int, projects: int, limits: int) -> rules_pb2.ApplyPolicyRequest:
    """Domains that have each so many of everything."""
    request = rules_pb2.ApplyPolicyRequest(parent="domains/platform")
    for number in range(domains):
        domain = f"domains/d{number}"
        request.domains.add(name=domain)
        request.floors.add(name=f"domains/platform/floors/d{number}")
        request.roles.add(name=f"{domain}/roles/own")
        for each in range(projects):
            request.projects.append(identity_pb2.Project(name=f"{domain}/projects/p{each}"))
            request.budgets.append(ledger_pb2.Budget(name=f"{domain}/projects/p{each}/budget"))
        for each in range(people):
            person = f"{domain}/principals/p{each}"
            request.principals.append(identity_pb2.Principal(name=person))
            scope = f"{domain}/projects/p0" if projects else ""
            request.bindings.append(
                rules_pb2.Binding(name=f"{domain}/bindings/b{each}", principal=person, role=f"{domain}/roles/own", scope=scope)
            )
        for each in range(limits):
            request.limits.append(ledger_pb2.Limit(name=f"{domain}/limits/l{each}", subject=domain))
    return request


def names(request: Any) -> set[str]:
    return {item.name for field in FIELDS for item in getattr(request, field)}


def size(request: Any) -> tuple[int, int]:
    return sum(len(getattr(request, field)) for field in FIELDS), len(request.budgets) + len(request.limits)


def test_what_one_call_takes_is_sent_as_it_is() -> None:
    request = policy(2, 50, 10, 10)
    (page,) = pages(request)
    assert page.request is request


@settings(max_examples=25, deadline=None)
@given(domains=st.integers(1, 40), people=st.integers(0, 40), projects=st.integers(0, 6), limits=st.integers(0, 12))
def test_each_page_can_be_taken_by_itself_and_all_together_are_the_whole(domains: int, people: int, projects: int, limits: int) -> None:
    request = policy(domains, people, projects, limits)
    whole, union = names(request), set[str]()
    for page in pages(request):
        here, (entries, money) = names(page.request), size(page.request)
        assert entries <= MOST_ENTRIES
        assert money <= MOST_MONEY
        for binding in page.request.bindings:
            assert {binding.principal, binding.role, *filter(None, [binding.scope])} <= here
        for budget in page.request.budgets:
            assert budget.name.removesuffix("/budget") in here
        for name in here - {floor.name for floor in page.request.floors}:
            assert "/".join(name.split("/")[:2]) in here
        union |= here
    assert union == whole


def test_an_error_is_told_by_the_place_in_the_whole_file() -> None:
    request = policy(1, 700, 0, 0)
    for page in pages(request):
        for number, binding in enumerate(page.request.bindings):
            told = page.whole(f"bindings[{number}].principal")
            place = int(told.removeprefix("bindings[").partition("]")[0])
            assert request.bindings[place].name == binding.name
            assert told.endswith("].principal")
        assert page.whole("parent") == "parent"


def test_what_is_named_twice_reaches_the_service_which_refuses_it() -> None:
    request = router_pb2.ApplyRoutesRequest(parent="domains/a")
    for number in range(MOST_ENTRIES + 1):
        request.routes.add(name=f"domains/a/routes/r{number // 2}")
    assert sum(len(page.request.routes) for page in pages(request)) == MOST_ENTRIES + 1


def test_models_take_their_endpoint_along() -> None:
    request = registry_pb2.ApplyModelsRequest(parent="domains/platform")
    request.endpoints.add(name="adapters/openai/endpoints/main")
    request.adapters.add(name="adapters/openai")
    for number in range(1_200):
        request.models.add(name=f"domains/a/models/m{number}", adapter="openai", endpoint="main")
    made = pages(request)
    assert len(made) == 3
    assert all(page.request.endpoints for page in made)
    assert made[0].request.adapters
    assert sum(len(page.request.models) for page in made) == 1_200
