"""The attempts of a plan, whatever its shape: a worst case is a sum, since every attempt that is begun may bill."""

from collections.abc import Iterator

from llm_mesh.router.v1 import plan_pb2
from llm_mesh_runtime.errors import invalid

MOST_ATTEMPTS = 64
_DEEPEST = 16


def attempts_of(plan: plan_pb2.Plan) -> list[plan_pb2.Attempt]:
    """All attempts, in the order in which the tree names them. Refuses trees that nobody could execute."""
    found = list(_walk(plan.root, "plan.root", 0))
    if len(found) > MOST_ATTEMPTS:
        raise invalid("plan.root", f"at most {MOST_ATTEMPTS} attempts")
    if len({attempt.id for attempt in found}) < len(found):
        raise invalid("plan.root", "attempts with unique ids")
    return found


def _walk(node: plan_pb2.PlanNode, path: str, depth: int) -> Iterator[plan_pb2.Attempt]:
    kind = node.WhichOneof("kind")
    if kind == "attempt":
        if not node.attempt.id:
            raise invalid(f"{path}.attempt.id", "an id")
        yield node.attempt
        return
    if kind is None or depth >= _DEEPEST:
        raise invalid(path, "a kind of node" if kind is None else f"a tree at most {_DEEPEST} deep")
    children = getattr(node, kind).children
    if not children:
        raise invalid(f"{path}.{kind}.children", "at least one child")
    for index, child in enumerate(children):
        yield from _walk(child, f"{path}.{kind}.children[{index}]", depth + 1)
