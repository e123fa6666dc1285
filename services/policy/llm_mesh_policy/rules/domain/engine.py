"""Casbin, kept off the way of requests: it sees the one rule that matters, and each decision is made once.

Casbin goes through all rules one by one, and builds a graph of all roles before it decides anything. Here the rules that a principal
holds are looked up first (`patterns`), and Casbin decides by what was found: one line, and the roles of that principal. What was
decided is kept until the rules of the domain change; a change replaces the domain's engine.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any, NamedTuple

import casbin  # type: ignore[import-untyped]  # it ships no types
from casbin.model import Model  # type: ignore[import-untyped]  # likewise

from llm_mesh_policy.rules.domain.matching import covers, grants
from llm_mesh_policy.rules.domain.patterns import RoleRules
from llm_mesh_policy.rules.domain.roles import EVERYONE

MODEL = f"""
[request_definition]
r = sub, obj, act

[policy_definition]
p = sub, dom, obj, act

[role_definition]
g = _, _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = (p.sub == "{EVERYONE}" || g(r.sub, p.sub, p.dom)) && grants(p.act, r.act) && covers(p.dom, p.obj, r.obj)
"""
"""`sub` of a rule is a role, `dom` the scope in which it is held; `g` links principals to roles in scopes."""

Link = tuple[str, str, str]
"""Principal, role, scope."""
Line = tuple[str, str, str, str]
"""Role, scope, pattern of resources, pattern of actions."""

_MOST_DECISIONS = 20_000
_MOST_PRINCIPALS = 4_096


class HeldRole(NamedTuple):
    """A role that a principal holds in a scope."""

    role: str
    scope: str
    rules: RoleRules


class _Enforcer(casbin.Enforcer):  # type: ignore[misc]  # it ships no types
    """Casbin, which reads its matcher once instead of at each decision."""

    _expression: Any = None

    def _get_expression(self, expr: str, functions: Any = None) -> Any:  # noqa: ANN401 (Casbin's own)
        if self._expression is None:
            self._expression = super()._get_expression(expr, functions)
        return self._expression


def enforcer_of(links: Iterable[Link], lines: Iterable[Line]) -> casbin.Enforcer:
    """Casbin with these rules and nothing around it."""
    model = Model()
    model.load_model_from_text(MODEL)
    enforcer = _Enforcer(model)
    enforcer.add_function("covers", covers)
    enforcer.add_function("grants", grants)
    model.add_policies("g", "g", [list(link) for link in links])
    model.add_policies("p", "p", [list(line) for line in lines])
    enforcer.build_role_links()
    return enforcer


class _Roles:
    """What Casbin asks about roles: who holds which, where. It takes the place of Casbin's graph."""

    def __init__(self) -> None:
        self.links: frozenset[Link] = frozenset()

    def has_link(self, principal: str, role: str, scope: str) -> bool:
        """Whether the principal holds the role in the scope."""
        return (principal, role, scope) in self.links


class Judge(threading.local):
    """Casbin, once per thread: requests are decided on the event loop, changes where they are written."""

    def __init__(self, lock: Lock) -> None:
        self._roles = _Roles()
        with lock:  # Python 3.11 does not parse in two threads at once, and the first decision parses the matcher
            self._enforcer = enforcer_of((), ())
            self._enforcer.get_model()["g"]["g"].rm = self._roles
            self._enforcer.enforce("", "", "")

    def allows(self, question: tuple[str, str, str], links: Iterable[Link], lines: Sequence[Line]) -> bool:
        """What Casbin decides about a principal, an action and a resource by a few rules."""
        principal, action, resource = question
        self._roles.links = frozenset(links)
        self._enforcer.get_model()["p"]["p"].policy = [list(line) for line in lines]
        return bool(self._enforcer.enforce(principal, resource, action))


class Engine:
    """Decides about the resources of one domain."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._decisions: dict[tuple[str, str, str], bool] = {}
        self._held: dict[str, Sequence[HeldRole]] = {}

    def allows(self, principal: str, action: str, resource: str, held_by: Callable[[str], Sequence[HeldRole]]) -> bool:
        """Whether any rule grants the action; `held_by` tells which roles a principal holds in the domain."""
        question = (principal, action, resource)
        decided = self._decisions.get(question)
        if decided is None:
            held = self._held.get(principal)
            if held is None:
                if len(self._held) >= _MOST_PRINCIPALS:
                    self._held.clear()
                held = self._held[principal] = held_by(principal)
            decided = self._decide(question, held)
            if len(self._decisions) >= _MOST_DECISIONS:
                self._decisions.clear()
            self._decisions[question] = decided
        return decided

    def _decide(self, question: tuple[str, str, str], held: Sequence[HeldRole]) -> bool:
        principal, action, resource = question
        for role, scope, rules in held:
            granting = rules.granting(scope, action, resource)
            if granting is not None:
                return self._judge.allows(question, [(principal, role, scope)], [(role, scope, *granting)])
        return False
