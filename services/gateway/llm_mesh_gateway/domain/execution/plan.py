"""The plan tree, as far as a gateway can carry it out."""

from __future__ import annotations

from llm_mesh.router.v1 import plan_pb2
from llm_mesh_gateway.domain.errors import not_executable
from llm_mesh_gateway.domain.execution.executors import Executors


def attempts_of(plan: plan_pb2.Plan, executors: Executors) -> list[plan_pb2.Attempt]:
    """The attempts in the order in which the tree names them. Raises PLAN_NOT_EXECUTABLE for a node without an executor."""
    attempts: list[plan_pb2.Attempt] = []
    _collect(plan.root, executors, attempts)
    if not attempts:
        raise not_executable("empty")
    return attempts


def _collect(node: plan_pb2.PlanNode, executors: Executors, attempts: list[plan_pb2.Attempt]) -> None:
    kind = node.WhichOneof("kind")
    if kind is None or kind not in executors:
        raise not_executable(kind or "unknown")
    if kind == "attempt":
        attempts.append(node.attempt)
        return
    for child in getattr(node, kind).children[:]:  # as the contract has it: every kind but `attempt` has children
        _collect(child, executors, attempts)


def target_of(attempt: plan_pb2.Attempt) -> tuple[str, str, str, str]:
    """What makes two attempts the same target."""
    return attempt.adapter, attempt.endpoint, attempt.upstream_model, attempt.credential
