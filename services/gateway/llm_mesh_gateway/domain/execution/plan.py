"""The plan tree, as far as this gateway carries it out: single attempts and failover, nested as they come."""

from __future__ import annotations

from llm_mesh.router.v1 import plan_pb2
from llm_mesh_gateway.domain.errors import not_executable


def attempts_of(plan: plan_pb2.Plan) -> list[plan_pb2.Attempt]:
    """The attempts in the order in which they are to be tried. Raises PLAN_NOT_EXECUTABLE for other nodes, before anything is held."""
    found: list[plan_pb2.Attempt] = []
    _collect(plan.root, found)
    if not found:
        raise not_executable("empty")
    return found


def _collect(node: plan_pb2.PlanNode, found: list[plan_pb2.Attempt]) -> None:
    kind = node.WhichOneof("kind")
    if kind == "attempt":
        found.append(node.attempt)
    elif kind == "failover":
        for child in node.failover.children:
            _collect(child, found)
    else:
        raise not_executable(kind or "unknown")


def target_of(attempt: plan_pb2.Attempt) -> tuple[str, str, str, str]:
    """What makes two attempts the same target."""
    return attempt.adapter, attempt.endpoint, attempt.upstream_model, attempt.credential
