"""What may follow from floors, roles and bindings, written from the comments of the contracts and from nothing else of policy's code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product

from llm_mesh.policy.v1 import admission_pb2, floors_pb2, rules_pb2

PLATFORM = "domains/platform"
ORDER = ("public", "internal", "confidential", "restricted")
Grant = tuple[str, str, str]
"""Principal, role and scope: what a domain consents to."""


def domain_of(name: str) -> str:
    return "/".join(name.split("/")[:2])


@dataclass(frozen=True)
class Target:
    """A model as the router and `Reserve` see it."""

    name: str
    alias: str
    adapter: str
    endpoint: str
    upstream: str
    region: str
    classes: frozenset[str]
    zero_retention: bool


TARGETS = tuple(
    Target(name, name.rpartition("/")[2], adapter, endpoint, "up-1", region, frozenset(classes), zero)
    for name, (adapter, endpoint), region, classes, zero in product(
        ("domains/shared/models/a", "domains/claims/models/b"),
        (("openai", "main"), ("openai", "other"), ("anthropic", "main")),
        ("eu", "us", ""),
        (ORDER[:2], ORDER[:3], (*ORDER, "health"), ("restricted",)),
        (True, False),
    )
)


@dataclass
class Rights:
    """Who may do what, by the roles and bindings as they are stored and by the consents that were given."""

    roles: Mapping[str, rules_pb2.Role]
    bindings: dict[str, rules_pb2.Binding] = field(default_factory=dict)
    consents: dict[str, Grant] = field(default_factory=dict)
    """By the name of the binding."""

    def counts(self, binding: rules_pb2.Binding) -> bool:
        """One's own domain needs no consent; another's is for exactly this grant."""
        if domain_of(binding.principal) == domain_of(binding.name):
            return True
        return self.consents.get(binding.name) == (binding.principal, binding.role, binding.scope)

    def grants(self, principal: str, action: str, resource: str) -> bool:
        held = (each for each in self.bindings.values() if each.principal == principal and self.counts(each))
        return any(self._grants(each, action, resource) for each in held)

    def _grants(self, binding: rules_pb2.Binding, action: str, resource: str) -> bool:
        scope = binding.scope or domain_of(binding.name)
        inside = scope in {"*", resource} or resource.startswith(scope + "/")
        role = self.roles.get(binding.role, rules_pb2.Role())
        return inside and any(_permits(each, action, resource, scope) for each in role.permissions)


def _permits(permission: rules_pb2.Permission, action: str, resource: str, scope: str) -> bool:
    collection = action.split(".", maxsplit=1)[0]
    named = any(pattern in {"*", action, f"{collection}.*"} for pattern in permission.actions)
    return named and (
        not permission.resources or any(_like(each, path) for each in permission.resources for path in _paths(resource, scope))
    )


def _like(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else pattern == path


def _paths(resource: str, scope: str) -> list[str]:
    """A resource relative to the scope, and to the domain and the project that it is in where those are within the scope."""
    parts = resource.split("/")
    starts = {domain_of(resource), "/".join(parts[:4]) if len(parts) > 4 and parts[2] == "projects" else domain_of(resource)}
    around = {start for start in starts if scope in {"*", start} or start.startswith(scope + "/")}
    if scope != "*":
        around.add(scope)
    paths = [resource[len(start) + 1 :] for start in around if resource != start]
    return [*paths, resource] if scope == "*" else paths


def admitted(bounds: admission_pb2.Constraints, target: Target) -> bool:
    """Whether a request under these constraints may go to a target; empty lists allow everything."""
    return (
        (not bounds.regions or target.region in bounds.regions)
        and {bounds.data_class or "internal", *bounds.further_data_classes} <= target.classes
        and (not bounds.allowed_models or _named(bounds.allowed_models, target.name))
        and not _named(bounds.denied_models, target.name, f"upstream:{target.adapter}/{target.endpoint}/{target.upstream}")
        and (not bounds.allowed_adapters or target.adapter in bounds.allowed_adapters)
        and (not bounds.allowed_endpoints or f"{target.adapter}/{target.endpoint}" in bounds.allowed_endpoints)
        and all(_named(each.patterns, target.name, target.alias) for each in bounds.callable_models)
        and (target.zero_retention or not bounds.zero_retention)
    )


def within(floor: floors_pb2.Floor, target: Target) -> bool:
    """Whether a floor lets data go to a target at all."""
    minimum = max([ORDER.index(each) for each in floor.minimum_data_classes if each in ORDER], default=0)
    unordered = {each for each in floor.minimum_data_classes if each not in ORDER}
    return (
        (not floor.regions or target.region in floor.regions)
        and any(each in target.classes for each in ORDER[minimum:])
        and unordered <= target.classes
        and (target.zero_retention or not floor.zero_retention)
        and (not floor.allowed_adapters or target.adapter in floor.allowed_adapters)
        and (not floor.allowed_endpoints or f"{target.adapter}/{target.endpoint}" in floor.allowed_endpoints)
        and (not floor.allowed_models or _named(floor.allowed_models, target.name))
        and not _named(floor.denied_models, target.name, f"upstream:{target.adapter}/{target.endpoint}/{target.upstream}")
    )


def _named(patterns: Iterable[str], *names: str) -> bool:
    return any(name.startswith(each[:-1]) if each.endswith("*") else name == each for each in patterns for name in names)
