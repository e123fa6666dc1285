"""What somebody in a domain may try: the action and resource that its method asks for, and the change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import floors_pb2, identity_pb2, ledger_pb2, rules_pb2
from llm_mesh_policy.domain.actor import Actor
from tests.policy.floor_oracle import PLATFORM
from tests.policy.floor_world import (
    ADMIN,
    BOSS,
    CLAIMS,
    GRANTED,
    PEOPLE,
    SALES,
)

if TYPE_CHECKING:
    from tests.policy.floor_runs import Run

Step = tuple[str, str, Callable[[], Awaitable[object]]]


def _domain_message(run: Run, name: str) -> identity_pb2.Domain:
    return identity_pb2.Domain(
        name=name,
        regions=run.some(("eu", "us", "ch")),
        default_data_class=run.rng.choice(("", "public", "internal", "confidential", "restricted", "health")),
        allowed_adapters=run.some(("openai", "anthropic")),
        zero_retention=run.rng.random() < 0.5,
    )


def update_domain(run: Run, actor: Actor) -> Step:
    name = run.rng.choice((actor.domain, CLAIMS, SALES, PLATFORM))
    mask = FieldMask(paths=run.some(("regions", "default_data_class", "allowed_adapters", "zero_retention", "display_name"), 3))
    return "domains.update", name, lambda: run.mesh.directory.update_domain(actor, _domain_message(run, name), mask)


def update_project(run: Run, actor: Actor) -> Step:
    name = f"{run.rng.choice((actor.domain, SALES))}/projects/main"
    wanted = identity_pb2.Project(
        name=name, max_output_tokens=run.rng.choice((0, 10, 5000)), allowed_models=run.some(("a", "b*", "domains/shared/*"))
    )
    mask = FieldMask(paths=["max_output_tokens", "allowed_models"])
    return "projects.update", name, lambda: run.mesh.directory.update_project(actor, wanted, mask)


def put_floor(run: Run, actor: Actor) -> Step:
    name = f"{run.rng.choice((PLATFORM, actor.domain))}/floors/{run.rng.choice(('-', 'claims', 'sales'))}"
    return "floors.put", name, lambda: run.mesh.floors.put(actor, floors_pb2.Floor(name=name))


def delete_floor(run: Run, actor: Actor) -> Step:
    name = f"{PLATFORM}/floors/{run.rng.choice(('-', 'claims'))}"
    return "floors.delete", name, lambda: run.mesh.floors.delete(actor, name)


def put_role(run: Run, actor: Actor) -> Step:
    role = _role_message(run, f"{run.rng.choice((actor.domain, SALES, PLATFORM))}/roles/r{run.rng.randint(1, 2)}")
    return "roles.put", role.name, lambda: run.mesh.rules.put_role(actor, role)


def _role_message(run: Run, name: str) -> rules_pb2.Role:
    permission = rules_pb2.Permission(actions=run.rng.choice(GRANTED), resources=run.some(("models/*", "projects/main/*", "keys"), 1))
    return rules_pb2.Role(name=name, permissions=[permission])


def _binding_message(run: Run, parent: str) -> rules_pb2.Binding:
    own = [f"{parent}/roles/r1", f"{parent}/roles/r2"]
    return rules_pb2.Binding(
        name=f"{parent}/bindings/b{run.rng.randint(1, 3)}",
        principal=run.rng.choice((*PEOPLE, BOSS, f"{SALES}/principals/ghost")),
        role=run.rng.choice(("roles/domain-admin", "roles/platform-admin", "roles/viewer", "roles/application", *own)),
        scope=run.rng.choice(("", "", "*", PLATFORM, CLAIMS, f"{parent}/projects/main")),
    )


def create_binding(run: Run, actor: Actor) -> Step:
    parent = run.rng.choice((actor.domain, actor.domain, SALES, PLATFORM))
    wanted = _binding_message(run, parent)
    return (
        "bindings.create",
        f"{parent}/bindings",
        lambda: run.mesh.rules.create_binding(actor, parent, wanted.name.rpartition("/")[2], wanted),
    )


def _some_binding(run: Run) -> rules_pb2.Binding:
    return run.rng.choice(list(run.rights.bindings.values()))


def delete_binding(run: Run, actor: Actor) -> Step:
    name = _some_binding(run).name
    return "bindings.delete", name, lambda: run.mesh.rules.delete_binding(actor, name)


def accept_binding(run: Run, actor: Actor) -> Step:
    bound = _some_binding(run)
    principal = run.rng.choice((bound.principal, bound.principal, actor.principal))
    return "bindings.accept", principal, lambda: run.mesh.rules.accept_binding(actor, bound.name, principal)


def reject_binding(run: Run, actor: Actor) -> Step:
    bound = _some_binding(run)
    return "bindings.reject", bound.principal, lambda: run.mesh.rules.reject_binding(actor, bound.name, bound.principal)


def delete_role(run: Run, actor: Actor) -> Step:
    name = f"{actor.domain}/roles/r{run.rng.randint(1, 2)}"
    return "roles.delete", name, lambda: run.mesh.rules.delete_role(actor, name)


def create_key(run: Run, actor: Actor) -> Step:
    project = f"{run.rng.choice((actor.domain, SALES))}/projects/main"
    wanted = identity_pb2.Key(principal=run.rng.choice((*PEOPLE, BOSS)))
    return "keys.create", f"{project}/keys", lambda: run.mesh.keyring.create(actor, project, wanted)


def revoke_key(run: Run, actor: Actor) -> Step:
    keys = [key.name for key in run.mesh.store.state.keys.values()] or [f"{CLAIMS}/projects/main/keys/none"]
    name = run.rng.choice(keys)
    return "keys.revoke", name, lambda: run.mesh.keyring.revoke(actor, name)


def update_principal(run: Run, actor: Actor) -> Step:
    name = run.rng.choice((*PEOPLE, BOSS, ADMIN.principal))
    wanted = identity_pb2.Principal(name=name, display_name=run.rng.choice("ab"))
    return "principals.update", name, lambda: run.mesh.directory.update_principal(actor, wanted, FieldMask(paths=["display_name"]))


def apply(run: Run, actor: Actor) -> Step:
    parent = run.rng.choice((actor.domain, actor.domain, PLATFORM))
    inside = run.rng.choice((parent, SALES, PLATFORM))
    request = rules_pb2.ApplyPolicyRequest(parent=parent)
    for part in run.rng.sample(range(6), run.rng.randint(1, 3)):
        if part == 0:
            request.domains.append(_domain_message(run, inside))
        elif part == 1:
            request.roles.append(_role_message(run, f"{inside}/roles/r1"))
        elif part == 2:
            request.bindings.append(_binding_message(run, inside))
        elif part == 3:
            request.floors.append(floors_pb2.Floor(name=f"{PLATFORM}/floors/claims"))
        elif part == 4:
            request.limits.append(ledger_pb2.Limit(name=f"{inside}/limits/l", subject=inside, metric=ledger_pb2.LIMIT_METRIC_CONCURRENCY))
        else:
            money = resources_pb2.Money(currency="USD", nanos=run.rng.randint(0, 9))
            name, subject = run.rng.choice(((f"{PLATFORM}/budgets/b", inside), (f"{inside}/projects/main/budget", "")))
            request.budgets.append(ledger_pb2.Budget(name=name, subject=subject, amount=money))
    return "policy.apply", f"{parent}/policy", lambda: run.mesh.applying.apply(actor, request)


STEPS: tuple[Callable[[Run, Actor], Step], ...] = (
    update_domain, update_domain, update_project, put_floor, delete_floor, put_role, create_binding, create_binding, delete_binding,
    accept_binding, accept_binding, reject_binding, delete_role, create_key, revoke_key, update_principal, apply, apply,
)  # fmt: skip
