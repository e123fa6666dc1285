"""Whether the caller of the present call may do what the call needs besides itself, such as render the prompt that it names.

The access stage decides about the call as its contract declares it, with one action on one resource. A request that refers to a second
resource needs the caller's right to that one as well: a service that fetched it in its own name would lend the caller its rights.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from llm_mesh_runtime.access.stage import question_of
from llm_mesh_runtime.context import metadata

if TYPE_CHECKING:
    from llm_mesh_runtime.access.stage import AccessStage


class CallerRights:
    """Asks policy with the caller's own credential. Answers are cached like those of the access stage."""

    def __init__(self, stage: AccessStage) -> None:
        self._stage = stage

    async def demand(self, method: str, action: str, resource: str) -> None:
        """Return where the caller may call the method on the resource. Raises policy's refusal otherwise, such as ACTION_DENIED.

        `resource` is absolute, or relative to the caller's project. Raises MISSING_CREDENTIAL where the call carries no credential.
        """
        question = question_of(metadata(), resource, hashlib.sha256(f"{method}\x00{action}".encode()), action)
        if self._stage.cached(question.digest) is None:
            await self._stage.ask(question, method)
