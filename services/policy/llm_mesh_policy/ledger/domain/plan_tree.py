"""The attempts of a plan, whatever its shape: a worst case is a sum, since every attempt that is begun may bill."""

from typing import NamedTuple

from llm_mesh.router.v1 import plan_pb2
from llm_mesh_policy.ledger.domain.units import NO_UNITS, Units
from llm_mesh_runtime.errors import invalid

MOST_ATTEMPTS = 64
_DEEPEST = 16


class AttemptTarget(NamedTuple):
    """Where an attempt goes, and with whose credential."""

    adapter: str
    endpoint: str
    upstream_model: str
    credential: str


class PlannedAttempt(NamedTuple):
    """An attempt as a plan names it. Its fields are read once: each reading of a message's text makes a new one."""

    id: str
    target: AttemptTarget
    region: str
    model: str
    price: str
    charge_to: str
    max_input_tokens: int
    max_output_tokens: int
    model_output_limit: int
    units: Units = NO_UNITS


def attempts_of(root: plan_pb2.PlanNode) -> list[PlannedAttempt]:
    """All attempts of a plan, in the order in which the tree names them. Refuses trees that nobody could execute."""
    attempts: list[PlannedAttempt] = []
    _walk(root, "plan.root", 0, attempts)
    if len(attempts) > MOST_ATTEMPTS:
        raise invalid("plan.root", f"at most {MOST_ATTEMPTS} attempts")
    if len({attempt.id for attempt in attempts}) < len(attempts):
        raise invalid("plan.root", "attempts with unique ids")
    return attempts


def planned_attempt(attempt: plan_pb2.Attempt, path: str) -> PlannedAttempt:
    """What the attempt at a place of a plan asks."""
    attempt_id = attempt.id
    if not attempt_id:
        raise invalid(f"{path}.attempt.id", "an id")
    return PlannedAttempt(
        attempt_id,
        AttemptTarget(attempt.adapter, attempt.endpoint, attempt.upstream_model, attempt.credential),
        attempt.region,
        attempt.model,
        attempt.price,
        attempt.charge_to,
        attempt.max_input_tokens,
        attempt.max_output_tokens,
        attempt.model_output_limit,
        Units.of(attempt.units) if attempt.HasField("units") else NO_UNITS,
    )


def _walk(node: plan_pb2.PlanNode, path: str, depth: int, attempts: list[PlannedAttempt]) -> None:
    kind = node.WhichOneof("kind")
    if kind == "attempt":
        attempts.append(planned_attempt(node.attempt, path))
        return
    if kind is None or depth >= _DEEPEST:
        raise invalid(path, "a kind of node" if kind is None else f"a tree at most {_DEEPEST} deep")
    children = getattr(node, kind).children
    if not children:
        raise invalid(f"{path}.{kind}.children", "at least one child")
    for index, child in enumerate(children):
        _walk(child, f"{path}.{kind}.children[{index}]", depth + 1, attempts)
