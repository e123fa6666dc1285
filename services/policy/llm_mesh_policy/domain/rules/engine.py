"""Casbin, kept off the way of requests: one enforcer per domain, few candidates per decision, each decision made once.

Casbin goes through all rules one by one. Here it only sees those that can matter: the rules are indexed by the scope, which is
a prefix of the resource, and by the collection of the action. What was decided is kept under everything that Casbin saw. The
rules are part of the engine and never change; a new revision of a domain's rules is a new engine.
"""

from __future__ import annotations

from collections.abc import Iterable

import casbin  # type: ignore[import-untyped]  # it ships no types
from casbin.model import Model  # type: ignore[import-untyped]  # likewise

from llm_mesh_policy.domain.rules.matching import ANYTHING, covers, grants, scope_of
from llm_mesh_policy.domain.rules.roles import EVERYONE

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
_FAMILY_END = "."


def enforcer_of(links: Iterable[Link], lines: Iterable[Line]) -> casbin.Enforcer:
    """Casbin with these rules and nothing around it."""
    model = Model()
    model.load_model_from_text(MODEL)
    enforcer = casbin.Enforcer(model)
    enforcer.add_function("covers", covers)
    enforcer.add_function("grants", grants)
    model.add_policies("g", "g", [list(link) for link in links])
    model.add_policies("p", "p", [list(line) for line in lines])
    enforcer.build_role_links()
    return enforcer


class Engine:
    """Decides by one domain's rules."""

    def __init__(self, links: frozenset[Link], lines: frozenset[Line]) -> None:
        self._links = links
        self._lines = lines
        self._index: dict[tuple[str, str], list[list[str]]] = {}
        for line in sorted(lines):
            _, scope, _, actions = line
            self._index.setdefault((scope, _family(actions)), []).append(list(line))
        self._enforcer: casbin.Enforcer | None = None
        self._decisions: dict[tuple[str, str, str], bool] = {}

    def same(self, links: frozenset[Link], lines: frozenset[Line]) -> bool:
        """Whether it decides by exactly these rules."""
        return links == self._links and lines == self._lines

    def allows(self, principal: str, action: str, resource: str) -> bool:
        """Whether any rule grants the action."""
        asked = (principal, action, resource)
        decided = self._decisions.get(asked)
        if decided is None:
            decided = self._decide(principal, action, resource)
            if len(self._decisions) >= _MOST_DECISIONS:
                self._decisions.clear()
            self._decisions[asked] = decided
        return decided

    def candidates(self, action: str, resource: str) -> list[list[str]]:
        """The rules whose scope is around the resource and whose actions are of the action's family."""
        families = (_family(action), ANYTHING)
        index = self._index
        return [line for scope in scope_of(resource) for family in families for line in index.get((scope, family), ())]

    def _decide(self, principal: str, action: str, resource: str) -> bool:
        lines = self.candidates(action, resource)
        if not lines:
            return False
        if self._enforcer is None:
            self._enforcer = enforcer_of(self._links, ())
        self._enforcer.get_model()["p"]["p"].policy = lines
        return bool(self._enforcer.enforce(principal, resource, action))


def _family(action: str) -> str:
    """`models` of `models.get` and `models.*`; `*` of `*`."""
    return action.partition(_FAMILY_END)[0]
