"""One executor per kind of plan node: which attempts are made, in what order, and when the next one begins.

Executors decide nothing else. Whose answer goes to the caller, what is settled and what may be retried is one and the same for all of
them: see `Branch`. A new kind of node is a field of `PlanNode.kind`, a class here or elsewhere, and an entry in the table that the
gateway is built with.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Protocol

from llm_mesh.router.v1 import plan_pb2

if TYPE_CHECKING:
    from llm_mesh_gateway.domain.execution.branch import Branch


class Executor(Protocol):
    """Carries out nodes of one kind."""

    def run(self, node: plan_pb2.PlanNode, branch: Branch) -> Awaitable[bool]:
        """Carry out a node. False: all that it tried has failed, and what stands beside the node may be tried.

        Raises what the caller is told where nothing else may follow.
        """


Executors = Mapping[str, Executor]
"""By the name of the node's field in `PlanNode.kind`."""


class AttemptExecutor:
    """Calls one target once."""

    def run(self, node: plan_pb2.PlanNode, branch: Branch) -> Awaitable[bool]:
        """Without a coroutine of its own: every piece of a stream passes by the ones that there are."""
        return branch.attempt(node.attempt)


class FailoverExecutor:
    """Tries children in order until one answers."""

    async def run(self, node: plan_pb2.PlanNode, branch: Branch) -> bool:
        """The next child begins when the one before it has failed without giving the caller anything."""
        for child in node.failover.children[:]:
            if await branch.run(child):
                return True
        return False


EXECUTORS: Executors = {"attempt": AttemptExecutor(), "failover": FailoverExecutor()}
"""The kinds that this gateway carries out."""
