"""`Explain`: what a request of a principal would get, and why, as far as the one who asks may see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import errors_pb2, identity_pb2, rules_pb2
from llm_mesh.services import MESH_ACTIONS
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.domain.kinds import DOMAINS, KEY_NAME, PRINCIPALS
from llm_mesh_policy.domain.model_uses import MODEL_USES
from llm_mesh_policy.rules.domain.allowances import check_listed
from llm_mesh_policy.rules.domain.consent import active, state_of
from llm_mesh_policy.rules.domain.matching import EVERYWHERE
from llm_mesh_policy.rules.domain.places import absolute
from llm_mesh_policy.rules.domain.rulebook import ANYONE, scope_of
from llm_mesh_policy.rules.domain.stricter import holding
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import domain_of, is_within

if TYPE_CHECKING:
    from llm_mesh_policy.domain.actor import Actor
    from llm_mesh_policy.domain.keys import StoredKey
    from llm_mesh_policy.rules.domain.live import Live
    from llm_mesh_policy.rules.domain.snapshot import Snapshot

ALL_DOMAINS = "domains/-"
_LONGEST = 1024
_PROJECT_PARTS = 4
_MODEL_USES = frozenset(MODEL_USES)


class Explaining:
    """Answers why."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def explain(self, actor: Actor, request: rules_pb2.ExplainRequest) -> rules_pb2.ExplainResponse:
        """Whether a principal's request would be served, by which bindings, and what stands against it."""
        _check(request)
        snapshot = await self._live.refresh()
        question = _Question(snapshot, self._live.now(), actor, request, absolute(request.resource, request.parent))
        return await asyncio.to_thread(question.answer)  # a principal's keys are found among all keys


@dataclass(frozen=True, slots=True)
class _Question:
    snapshot: Snapshot
    now: int
    actor: Actor
    request: rules_pb2.ExplainRequest
    place: str

    def answer(self) -> rules_pb2.ExplainResponse:
        rules, request = self.snapshot.rules, self.request
        visible = [binding for binding in self._bindings() if self._may("bindings.list", f"{domain_of(binding.name)}/bindings")]
        grounds = {
            (rule.binding.name, rule.permission.SerializeToString(deterministic=True)): rule
            for binding in visible
            if binding.principal == ANYONE or active(binding)
            for rule in rules.rules_of(binding)
            if request.action not in MESH_ACTIONS and rule.speaks_of(request.action, self.place)
        }
        known = self._may("principals.list", f"{domain_of(request.principal)}/principals")
        obstacles = list(self._obstacles(known=known, granted=bool(grounds)))
        return rules_pb2.ExplainResponse(
            allowed=not obstacles,
            grounds=[rules_pb2.Grounds(binding=_shown(rule.binding), permission=rule.permission) for rule in grounds.values()],
            considered=[_shown(binding) for binding in visible],
            revision=self.snapshot.revision,
            obstacles=obstacles,
        )

    def _bindings(self) -> Iterator[rules_pb2.Binding]:
        """Those of the principal that can matter within the parent, the pending ones too, and those of everybody."""
        yield from (binding for binding in self.snapshot.bindings.values() if self._matters(binding))
        yield from (binding for binding in self.snapshot.rules.bindings_of(ANYONE) if _speaks_of(binding, self.request.parent))

    def _matters(self, binding: rules_pb2.Binding) -> bool:
        return binding.principal == self.request.principal and _speaks_of(binding, self.request.parent)

    def _may(self, action: str, resource: str) -> bool:
        return self.actor.is_service or self.snapshot.rules.allows(self.actor.principal, action, resource)

    def _obstacles(self, *, known: bool, granted: bool) -> Iterator[rules_pb2.Obstacle]:
        """In the order in which a request would meet them. What is not known of a foreign principal is not looked at either."""
        request = self.request
        keys = self._live_keys() if known else []
        if known or request.key:
            yield from self._of_credential(keys)
        if request.action in MESH_ACTIONS:
            yield _obstacle(errors_pb2.ERROR_REASON_ACTION_DENIED, "only services of the mesh may do this")
        elif not (self.snapshot.rules.allows(request.principal, request.action, self.place) if known else granted):
            yield _obstacle(errors_pb2.ERROR_REASON_ACTION_DENIED, "no role grants the action on the resource")
        if request.action in _MODEL_USES:
            yield from self._of_models(keys)

    def _of_credential(self, keys: list[StoredKey]) -> Iterator[rules_pb2.Obstacle]:
        principal = self.snapshot.principals.get(self.request.principal)
        detail = ""
        if self.request.key:
            detail = "" if keys else "the key is not one of the principal's, or is revoked or expired"
        elif not keys:
            detail = "none of the principal's keys is valid"
        if keys and principal is not None and principal.disabled:
            detail = "the principal is disabled"
        if detail:
            yield _obstacle(errors_pb2.ERROR_REASON_INVALID_CREDENTIAL, detail)

    def _live_keys(self) -> list[StoredKey]:
        name, principal = self.request.key, self.request.principal
        keys = [key for key in self.snapshot.keys.values() if key.principal == principal and (not name or key.name == name)]
        return [key for key in keys if key.live(self.now)]

    def _of_models(self, keys: list[StoredKey]) -> Iterator[rules_pb2.Obstacle]:
        project, alias = _model_use(self.place)
        able = [key for key in keys if not project or project in (key.project_name, *identity_pb2.Key.FromString(key.body).projects)]
        if keys and not able:
            yield _obstacle(errors_pb2.ERROR_REASON_PROJECT_NOT_SELECTED, "no key of the principal may select the project")
        elif able and alias and not any(self._lists(key, project or key.project_name, alias) for key in able):
            yield _obstacle(errors_pb2.ERROR_REASON_MODEL_DENIED, "the models that project and key allow do not include it")
        domain = domain_of(self.place)
        conflicts = holding(self.snapshot.domains.get(domain, identity_pb2.Domain()), self.snapshot.floor_of(domain)).conflicts
        if conflicts:
            yield _obstacle(errors_pb2.ERROR_REASON_FLOOR_CONFLICT, f"the floor and the domain's own settings conflict in {conflicts[0]}")

    def _lists(self, key: StoredKey, project: str, alias: str) -> bool:
        try:
            check_listed(self.snapshot, key.name, project, alias)
        except PolicyError:
            return False
        return True


def _check(request: rules_pb2.ExplainRequest) -> None:
    DOMAINS.place(request.parent, "parent")
    PRINCIPALS.place(request.principal, "principal")
    if not request.action or len(request.action) > _LONGEST:
        raise invalid("action", f"must be 1 to {_LONGEST} characters")
    if not request.resource or len(request.resource) > _LONGEST:
        raise invalid("resource", f"must be 1 to {_LONGEST} characters")
    if request.key:
        KEY_NAME.parse(request.key, "key")
    if request.parent != ALL_DOMAINS and not is_within(absolute(request.resource, request.parent), request.parent):
        raise invalid("resource", f"must be within {request.parent}")


def _model_use(place: str) -> tuple[str, str]:
    """The project and the alias in a place such as `domains/claims/projects/triage/models/gpt-4.1`; either may be empty."""
    parts = place.split("/", _PROJECT_PARTS)
    project = "/".join(parts[:_PROJECT_PARTS]) if len(parts) >= _PROJECT_PARTS and parts[2] == "projects" else ""
    relative = place.removeprefix(project or domain_of(place)).removeprefix("/")
    return project, relative.removeprefix("models/") if relative.startswith("models/") else ""


def _speaks_of(binding: rules_pb2.Binding, parent: str) -> bool:
    scope = scope_of(binding)
    return parent == ALL_DOMAINS or scope == EVERYWHERE or domain_of(scope) == parent


def _shown(binding: rules_pb2.Binding) -> rules_pb2.Binding:
    shown = rules_pb2.Binding()
    shown.CopyFrom(binding)
    shown.state = state_of(binding)
    return shown


def _obstacle(reason: errors_pb2.ErrorReason, detail: str) -> rules_pb2.Obstacle:
    return rules_pb2.Obstacle(reason=reason, detail=detail)
