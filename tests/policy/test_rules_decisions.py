"""What was decided by index and cache is what Casbin decides by going through all rules."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

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

DOMAINS = ["platform", "a", "b", "shared"]
people = st.sampled_from(["domains/a/principals/x", "domains/a/principals/y", "domains/platform/principals/z"])
projects = st.sampled_from(["p", "pp"])
tails = st.sampled_from(["", "/models/m", "/models/m/n", "/models", "/keys/k", "/prompts/m", "/projects/q/models/m"])
domain_names = st.sampled_from([*(f"domains/{name}" for name in DOMAINS), "domains/-", "domains/none"])
project_names = st.builds("{}/projects/{}".format, domain_names, projects)
resources = st.one_of(st.builds("{}{}".format, st.one_of(domain_names, project_names), tails), st.sampled_from(["", "self", "models/m"]))
actions = st.sampled_from(["models.get", "models.generate", "keys.get", "prompts.get", "keys.create"])
action_patterns = st.one_of(actions, st.sampled_from(["*", "models.*", "keys.*"]))
resource_patterns = st.sampled_from(["models/*", "models/m", "models/m*", "keys/*", "projects/p/*", "projects/*", "*", "m"])
permissions = st.builds(
    rules_pb2.Permission,
    actions=st.lists(action_patterns, min_size=1, max_size=2),
    resources=st.lists(resource_patterns, max_size=2),
)


@st.composite
def roles(draw: st.DrawFn) -> rules_pb2.Role:
    name = f"domains/{draw(st.sampled_from(DOMAINS))}/roles/{draw(st.sampled_from('rs'))}"
    return rules_pb2.Role(name=name, permissions=draw(st.lists(permissions, max_size=2)))


@st.composite
def bindings(draw: st.DrawFn) -> rules_pb2.Binding:
    domain = f"domains/{draw(st.sampled_from(DOMAINS))}"
    role = draw(st.one_of(st.sampled_from(["roles/application", "roles/domain-admin"]), st.sampled_from([f"{domain}/roles/r"])))
    scopes = ["", domain, f"{domain}/projects/p"] + (["*", "domains/a"] if domain == "domains/platform" else [])
    scope = draw(st.sampled_from(scopes))
    return rules_pb2.Binding(name=f"{domain}/bindings/{draw(st.integers(0, 99))}", principal=draw(people), role=role, scope=scope)


rule_sets = st.tuples(st.lists(roles(), max_size=4, unique_by=lambda role: role.name), st.lists(bindings(), max_size=6))


def plain(book: Rulebook, given_bindings: list[rules_pb2.Binding]) -> object:
    """Casbin with the rules of all domains at once, no index and no cache."""
    shared = rules_pb2.Binding(principal="*", role=EVERYONE_ROLE.name, scope="domains/shared")
    links, lines = set(), set()
    for binding in (*given_bindings, shared):
        links.add((binding.principal, binding.role, scope_of_binding(binding)))
        role = book.roles.get(binding.role)
        for rule in flatten(binding, role) if role else ():
            lines.add((binding.role, rule.scope, rule.resources, rule.actions))
    return enforcer_of(links, lines)


@settings(max_examples=150, deadline=None)
@given(rules=rule_sets, asked=st.lists(st.tuples(people, actions, resources), min_size=1, max_size=12))
def test_indexed_and_cached_decisions_equal_casbin_over_all_rules(
    rules: tuple[list[rules_pb2.Role], list[rules_pb2.Binding]], asked: list[tuple[str, str, str]]
) -> None:
    book = Rulebook(*rules)
    casbin = plain(book, rules[1])
    for principal, action, resource in asked * 2:
        expected = casbin.enforce(principal, resource, action)  # type: ignore[attr-defined]  # casbin has no types
        assert book.allows(principal, action, resource) == expected
        assert bool(book.grounds(principal, action, resource)) == expected


@settings(max_examples=100, deadline=None)
@given(before=rule_sets, after=rule_sets, asked=st.lists(st.tuples(people, actions, resources), min_size=1, max_size=6))
def test_engines_that_are_taken_over_decide_as_fresh_ones(
    before: tuple[list[rules_pb2.Role], list[rules_pb2.Binding]],
    after: tuple[list[rules_pb2.Role], list[rules_pb2.Binding]],
    asked: list[tuple[str, str, str]],
) -> None:
    old = Rulebook(*before)
    for principal, action, resource in asked:
        old.allows(principal, action, resource)
    taken, fresh = Rulebook(*after, old), Rulebook(*after)
    for question in asked:
        assert taken.allows(*question) == fresh.allows(*question)


@settings(max_examples=300, deadline=None)
@given(own=st.tuples(bindings(), permissions), other=st.tuples(bindings(), permissions), action=actions, resource=resources)
def test_who_covers_a_rule_may_do_whatever_it_allows(
    own: tuple[rules_pb2.Binding, rules_pb2.Permission],
    other: tuple[rules_pb2.Binding, rules_pb2.Permission],
    action: str,
    resource: str,
) -> None:
    mine = flatten(own[0], rules_pb2.Role(permissions=[own[1]]))
    for given_rule in flatten(other[0], rules_pb2.Role(permissions=[other[1]])):
        if any(covers_rule(one, given_rule) for one in mine) and given_rule.speaks_of(action, resource):
            assert any(one.speaks_of(action, resource) for one in mine)


@given(scope=st.one_of(st.just("*"), domain_names, project_names), resource=resources)
def test_the_index_looks_at_every_scope_around_a_resource(scope: str, resource: str) -> None:
    if within(scope, resource):
        assert scope in scope_of(resource)


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
