"""The roles that come with the mesh. They are data like all others; only nobody may change them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.domain.model_uses import MODEL_USES

PLATFORM_ADMIN = "roles/platform-admin"
EVERYONE = "roles/everyone"
"""Held by every valid principal in `domains/shared`, without a binding."""

SHARED_DOMAIN = "domains/shared"

_USE = (
    *MODEL_USES, "models.list", "prompts.get", "prompts.render", "feedback.create", "files.*", "batches.*", "responses.*",
    "conversations.*",
)  # fmt: skip
_READ = (
    "domains.get", "domains.list", "projects.get", "projects.list", "models.get", "models.list", "registryModels.list",
    "wellKnownModels.list", "prices.get", "prices.list", "adapters.list", "endpointFacts.get", "endpointFacts.list",
    "routes.get", "routes.list", "prompts.get",
    "prompts.list", "budgets.get", "budgets.list", "limits.list", "spend.query", "feedback.list", "roles.list",
    "subscriptions.get", "subscriptions.list", "offers.list", "files.get", "files.list", "batches.get", "batches.list",
    "retention.get",
)  # fmt: skip
_DEVELOP = (
    "prompts.create", "prompts.update", "routeDecisions.get", "requests.get", "requests.tail", "keys.get", "keys.list",
    "reservations.get", "reservations.list",
)  # fmt: skip
_AUDIT = (
    "auditRecords.list", "auditRecords.export", "floors.get", "floors.list",
    "decisions.explain", "bindings.list", "principals.list", "keys.get", "keys.list", "requests.get",
    "reservations.get", "reservations.list", "routeDecisions.get",
)  # fmt: skip
_ADMINISTER = (
    "domains.get", "domains.list", "domains.update", "projects.*", "principals.*", "keys.*", "roles.*", "bindings.*",
    "decisions.*", "auditRecords.*", "policy.apply", "budgets.*", "limits.*", "reservations.get", "reservations.list",
    "models.*", "registryModels.*", "wellKnownModels.*", "prices.*", "adapters.list", "endpointFacts.get", "endpointFacts.list",
    "prompts.*", "routes.*", "routeDecisions.*", "requests.*", "spend.*", "feedback.*", "subscriptions.*", "offers.list",
    "files.*", "batches.*", "responses.*", "conversations.*", "retention.*",
)  # fmt: skip
_SHARED = ("models.get", "registryModels.list", "prices.get", "prices.list", "prompts.get", "prompts.render", "routes.get")


def _role(name: str, description: str, *actions: str) -> rules_pb2.Role:
    permission = rules_pb2.Permission(actions=sorted(set(actions)))
    return rules_pb2.Role(name=f"roles/{name}", description=description, permissions=[permission], built_in=True)


BUILT_IN: Mapping[str, rules_pb2.Role] = MappingProxyType({
    role.name: role
    for role in (
        _role("application", "Uses models and renders prompts.", *_USE),
        _role("auditor", "Reads everything, the audit trail and the reasons of decisions too; changes nothing.", *_READ, *_AUDIT),
        _role("developer", "Uses models, writes prompts, sees requests and what they cost.", *_USE, *_READ, *_DEVELOP),
        _role("domain-admin", "Administers a domain: projects, principals, keys, roles, models, routes, prompts, budgets.", *_ADMINISTER),
        _role("platform-admin", "Does everything that a key may do at all.", "*"),
        _role("viewer", "Reads what a domain owns and what it spends.", *_READ),
    )
})  # fmt: skip
"""By name, in the order of their names."""

EVERYONE_ROLE = _role("everyone", "Reads the models, prices, routes and prompts that are shared with all.", *_SHARED)
