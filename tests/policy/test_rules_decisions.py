"""What was decided by index and cache is what Casbin decides by going through all rules."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import llm_mesh
from llm_mesh.mesh.v1 import access_pb2
from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.domain.identity.mesh_only import MESH_ACTIONS
from llm_mesh_policy.domain.rules.engine import Engine, enforcer_of
from llm_mesh_policy.domain.rules.escalation import covers_rule
from llm_mesh_policy.domain.rules.matching import covers, grants, scope_of, within
from llm_mesh_policy.domain.rules.roles import BUILT_IN, EVERYONE_ROLE
from llm_mesh_policy.domain.rules.rulebook import Rulebook, flatten
from llm_mesh_policy.domain.rules.rulebook import scope_of as scope_of_binding

DOMAINS = ["domains/platform", "domains/a", "domains/shared"]
PEOPLE = ["domains/a/principals/x", "domains/platform/principals/z"]
ACTIONS = ["models.get", "models.generate", "keys.get", "keys.create"]
RESOURCES = [
    *(domain + tail for domain in ("domains/a", "domains/ab", "domains/shared", "domains/-") for tail in ("", "/models/m")),
    *("domains/a/projects/p" + tail for tail in ("", "/models/m", "/models/m/n", "/keys/k", "/projects/q/models/m")),
    *("domains/a" + tail for tail in ("/models", "/keys/k", "/projects/pp/models/m")),
    "",
    "models/m",
]  # fmt: skip
QUESTIONS = [(principal, action, resource) for principal in PEOPLE for action in ACTIONS for resource in RESOURCES]

permissions = st.builds(
    rules_pb2.Permission,
    actions=st.lists(st.sampled_from([*ACTIONS, "*", "models.*", "keys.*"]), min_size=1, max_size=2),
    resources=st.lists(
        st.sampled_from(["models/*", "models/m", "models/m*", "keys/*", "projects/p/*", "projects/*", "*", "m"]), max_size=2
    ),
)


@st.composite
def roles(draw: st.DrawFn) -> list[rules_pb2.Role]:
    """Each domain may have a role `r`."""
    domains = draw(st.sets(st.sampled_from(DOMAINS), min_size=1))
    return [rules_pb2.Role(name=f"{domain}/roles/r", permissions=draw(st.lists(permissions, max_size=2))) for domain in sorted(domains)]


@st.composite
def bindings(draw: st.DrawFn) -> rules_pb2.Binding:
    """A binding as the mesh allows it."""
    domain = draw(st.sampled_from(DOMAINS))
    role = draw(st.sampled_from(["roles/application", f"{domain}/roles/r"]))
    scopes = ["", domain, f"{domain}/projects/p"] + (["*", "domains/a"] if domain == "domains/platform" else [])
    number = draw(st.integers(0, 99))
    return rules_pb2.Binding(
        name=f"{domain}/bindings/{number}", principal=draw(st.sampled_from(PEOPLE)), role=role, scope=draw(st.sampled_from(scopes))
    )


rule_sets = st.tuples(roles(), st.lists(bindings(), max_size=5))


RuleSet = tuple[list[rules_pb2.Role], list[rules_pb2.Binding]]


def plain(book: Rulebook, given_bindings: list[rules_pb2.Binding]) -> Any:
    """Casbin with the rules of all domains at once, no index and no cache."""
    shared = rules_pb2.Binding(principal="*", role=EVERYONE_ROLE.name, scope="domains/shared")
    links, lines = set(), set()
    for binding in (*given_bindings, shared):
        links.add((binding.principal, binding.role, scope_of_binding(binding)))
        role = book.roles.get(binding.role)
        for rule in flatten(binding, role) if role else ():
            lines.add((binding.role, rule.scope, rule.resources, rule.actions))
    return enforcer_of(links, lines)


@settings(max_examples=60, deadline=None)
@given(rules=rule_sets)
def test_indexed_and_cached_decisions_equal_casbin_over_all_rules(rules: RuleSet) -> None:
    book = Rulebook(*rules)
    casbin = plain(book, rules[1])
    expected = [casbin.enforce(principal, resource, action) for principal, action, resource in QUESTIONS]
    assert [book.allows(*asked) for asked in QUESTIONS] == expected
    assert [book.allows(*asked) for asked in reversed(QUESTIONS)] == expected[::-1]
    assert [bool(book.grounds(*asked)) for asked in QUESTIONS] == expected


@settings(max_examples=60, deadline=None)
@given(before=rule_sets, after=rule_sets)
def test_engines_that_are_taken_over_decide_as_fresh_ones(before: RuleSet, after: RuleSet) -> None:
    old = Rulebook(*before)
    for asked in QUESTIONS:
        old.allows(*asked)
    taken, fresh = Rulebook(*after, old), Rulebook(*after)
    assert [taken.allows(*asked) for asked in QUESTIONS] == [fresh.allows(*asked) for asked in QUESTIONS]


@settings(max_examples=400, deadline=None)
@given(own=st.tuples(bindings(), permissions), other=st.tuples(bindings(), permissions))
def test_who_covers_a_rule_may_do_whatever_it_allows(
    own: tuple[rules_pb2.Binding, rules_pb2.Permission], other: tuple[rules_pb2.Binding, rules_pb2.Permission]
) -> None:
    mine = flatten(own[0], rules_pb2.Role(permissions=[own[1]]))
    for given_rule in flatten(other[0], rules_pb2.Role(permissions=[other[1]])):
        for one in mine:
            if covers_rule(one, given_rule):
                for _, action, resource in QUESTIONS:
                    assert one.speaks_of(action, resource) or not given_rule.speaks_of(action, resource)


@pytest.mark.parametrize("scope", ["*", "domains/a", "domains/ab", "domains/-", "domains/a/projects/p", "domains/a/projects/pp"])
def test_the_index_looks_at_every_scope_around_a_resource(scope: str) -> None:
    looked_at = [resource for resource in RESOURCES if scope in scope_of(resource)]
    assert looked_at == [resource for resource in RESOURCES if within(scope, resource)]


def test_no_rules_allow_nothing() -> None:
    engine = Engine(frozenset(), frozenset())
    assert not engine.allows("", "", "")
    assert not engine.allows("domains/a/principals/x", "models.get", "domains/a/models/m")


def test_only_rules_that_can_matter_are_shown_to_casbin() -> None:
    lines = frozenset(("r", f"domains/a/projects/{number}", "*", f"{family}.get") for number in range(50) for family in ("models", "keys"))
    engine = Engine(frozenset(), lines)
    assert engine.candidates("models.get", "domains/a/projects/7/models/m") == [["r", "domains/a/projects/7", "*", "models.get"]]


def test_patterns_speak_of_paths_from_the_scope_on() -> None:
    resource = "domains/a/projects/p/models/gpt-4.1"
    assert covers("domains/a", "models/*", resource)
    assert covers("domains/a", "projects/p/*", resource)
    assert covers("domains/a/projects/p", "models/gpt-4.1", resource)
    assert covers("*", "domains/a/*", resource)
    assert not covers("domains/a/projects/p", "projects/p/*", resource)
    assert not covers("domains/a/projects/pp", "*", resource)
    assert not covers("domains/b", "*", resource)
    assert not covers("domains/a", "models/gpt-4", resource)
    assert not covers("domains/a", "models/*", "domains/ab/models/m")


def test_actions_are_granted_whole_by_family_or_all() -> None:
    assert grants("models.get", "models.get")
    assert grants("models.*", "models.get")
    assert grants("*", "models.get")
    assert not grants("models.*", "modelsets.get")
    assert not grants("models.get", "models.getAll")


def methods() -> Iterator[tuple[str, access_pb2.AccessRule]]:
    """The access rule of every method of every contract."""
    for module in pkgutil.walk_packages(llm_mesh.__path__, "llm_mesh."):
        if module.name.endswith("_pb2"):
            for service in importlib.import_module(module.name).DESCRIPTOR.services_by_name.values():
                for method in service.methods:
                    yield method.full_name, method.GetOptions().Extensions[access_pb2.access]


def test_the_list_of_mesh_only_actions_is_what_the_contracts_say() -> None:
    rules = dict(methods())
    mesh = {rule.action for rule in rules.values() if rule.level == access_pb2.ACCESS_LEVEL_MESH}
    public = {rule.action for rule in rules.values() if rule.level == access_pb2.ACCESS_LEVEL_PUBLIC}
    assert mesh == MESH_ACTIONS
    assert not mesh & public


def test_built_in_roles_name_actions_that_exist_and_every_action_belongs_to_a_role() -> None:
    public = {rule.action for _, rule in methods() if rule.level == access_pb2.ACCESS_LEVEL_PUBLIC}
    named = {action for role in (*BUILT_IN.values(), EVERYONE_ROLE) for permission in role.permissions for action in permission.actions}
    for pattern in named:
        assert any(grants(pattern, action) for action in public), pattern
