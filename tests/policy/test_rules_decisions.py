"""What was decided by index and cache is what Casbin decides by going through all rules."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import llm_mesh
from llm_mesh.mesh.v1 import access_pb2
from llm_mesh.policy.v1 import rules_pb2
from llm_mesh.services import MESH_ACTIONS
from llm_mesh_policy.rules.domain import engine
from llm_mesh_policy.rules.domain.engine import Judge, enforcer_of
from llm_mesh_policy.rules.domain.matching import covers, grants, within
from llm_mesh_policy.rules.domain.roles import BUILT_IN, EVERYONE_ROLE
from llm_mesh_policy.rules.domain.rulebook import Rule, Rulebook, flatten
from llm_mesh_policy.rules.domain.rulebook import scope_of as scope_of_binding

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


rule_sets = st.tuples(roles(), st.lists(bindings(), max_size=5, unique_by=lambda binding: binding.name))


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


def named(rules: RuleSet) -> tuple[dict[str, rules_pb2.Role], dict[str, rules_pb2.Binding]]:
    return {role.name: role for role in rules[0]}, {binding.name: binding for binding in rules[1]}


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(rule_sets, min_size=2, max_size=4))
def test_a_rulebook_that_was_changed_decides_as_a_fresh_one(steps: list[RuleSet]) -> None:
    roles, bindings = named(steps[0])
    book = Rulebook(roles.values(), bindings.values())
    for step in steps[1:]:
        for asked in QUESTIONS:
            book.allows(*asked)
        new_roles, new_bindings = named(step)
        changed_roles = {name: new_roles.get(name) for name in roles.keys() | new_roles.keys() if roles.get(name) != new_roles.get(name)}
        names = [name for name in bindings.keys() | new_bindings.keys() if bindings.get(name) != new_bindings.get(name)]
        before = [book.allows(*asked) for asked in QUESTIONS]
        after = book.changed(changed_roles, [(bindings.get(name), new_bindings.get(name)) for name in names])
        fresh = Rulebook(new_roles.values(), new_bindings.values())
        assert [after.allows(*asked) for asked in QUESTIONS] == [fresh.allows(*asked) for asked in QUESTIONS]
        assert [book.allows(*asked) for asked in QUESTIONS] == before, "the book before does not change"
        for principal in PEOPLE:
            assert sorted(map(str, after.held_by(principal))) == sorted(map(str, fresh.held_by(principal)))
        book, roles, bindings = after, new_roles, new_bindings


def covers_rule(own: Rule, given_rule: Rule) -> bool:
    """Whether everything that a rule allows is allowed by another one, told apart from how the mesh looks it up."""
    wide, narrow = own.resources, given_rule.resources
    resources = wide in {"*", narrow} or (wide.endswith("*") and narrow.removesuffix("*").startswith(wide[:-1]))
    actions = own.actions in {"*", given_rule.actions} or (own.actions.endswith(".*") and given_rule.actions.startswith(own.actions[:-1]))
    return within(own.scope, given_rule.scope) and resources and actions


@settings(max_examples=200, deadline=None)
@given(rules=rule_sets, other=st.tuples(bindings(), permissions))
def test_a_principal_covers_what_one_of_its_rules_covers(rules: RuleSet, other: tuple[rules_pb2.Binding, rules_pb2.Permission]) -> None:
    book = Rulebook(named(rules)[0].values(), named(rules)[1].values())
    for given_rule in flatten(other[0], rules_pb2.Role(permissions=[other[1]])):
        for principal in PEOPLE:
            expected = any(covers_rule(own, given_rule) for own in book.held_by(principal))
            assert book.covers(principal, given_rule) == expected


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


def test_no_rules_allow_nothing() -> None:
    assert not Rulebook().allows("", "", "")
    assert not Rulebook().allows("domains/a/principals/x", "models.get", "domains/a/models/m")


class Counting(Judge):
    """Counts what Casbin is asked."""

    asked = 0

    def allows(self, asked: tuple[str, str, str], links: Iterable[engine.Link], lines: Sequence[engine.Line]) -> bool:
        type(self).asked += 1
        assert len(list(links)) == len(lines) == 1
        return super().allows(asked, links, lines)


def many(count: int) -> list[rules_pb2.Binding]:
    return [
        rules_pb2.Binding(name=f"domains/a/bindings/{number}", principal=f"domains/a/principals/{number}", role="roles/application")
        for number in range(count)
    ]


def test_casbin_is_shown_one_rule_of_one_principal_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_mesh_policy.rules.domain.rulebook.Judge", Counting)
    Counting.asked = 0
    book = Rulebook((), many(2_000))
    assert book.allows("domains/a/principals/7", "models.generate", "domains/a/projects/p/models/m")
    assert not book.allows("domains/a/principals/7", "keys.create", "domains/a/projects/p/keys")
    assert book.allows("domains/a/principals/7", "models.generate", "domains/a/projects/p/models/m")
    assert Counting.asked == 1


def test_a_change_takes_over_everything_that_it_does_not_touch() -> None:
    elsewhere = rules_pb2.Binding(name="domains/b/bindings/1", principal="domains/b/principals/x", role="roles/viewer")
    book = Rulebook((), [*many(2_000), elsewhere])
    new = rules_pb2.Binding(name="domains/b/bindings/2", principal="domains/b/principals/x", role="roles/application")
    after = book.changed({}, [(None, new)])
    assert after._engines["domains/a"] is book._engines["domains/a"]
    assert after._engines["domains/b"] is not book._engines["domains/b"]
    assert sum(after._by_principal[name] is not book._by_principal[name] for name in book._by_principal) == 1
    assert after._rules is book._rules


def test_threads_do_not_see_each_others_rules() -> None:
    """The event loop decides requests while writing threads decide changes."""
    book = Rulebook((), many(400))
    wrong: list[str] = []

    def decide(start: int) -> None:
        for number in range(start, 400, 4):
            mine, other = f"domains/a/principals/{number}", f"domains/a/principals/{number + 1000}"
            for attempt in range(3):
                if not book.allows(mine, "models.generate", f"domains/a/models/m{attempt}"):
                    wrong.append(mine)
                if book.allows(other, "models.generate", f"domains/a/models/m{attempt}"):
                    wrong.append(other)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=decide, args=(start,)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong


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
