"""Asks policy about the credential in the head of a request that does not come by gRPC, such as one at the HTTP edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from llm_mesh_runtime.access.credentials import SELF, SELF_ACTION, digest

if TYPE_CHECKING:
    from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub
    from llm_mesh_runtime.access.credentials import Credentials, PolicyAnswer
    from llm_mesh_runtime.context import Caller
    from llm_mesh_runtime.shares import Party


class HeadCheck:
    """The check of heads for one service that is no gRPC service, such as the HTTP edge."""

    def __init__(self, service: str, credentials: Credentials, policy: Callable[[], PolicyServiceStub]) -> None:
        credentials.asked_by = credentials.asked_by or service
        self._credentials = credentials
        self._policy = policy

    def known(self, credential: str, project: str) -> Caller | None:
        """Whose credential it is, where that is known."""
        return self._credentials.known(credential, project)

    def party(self, credential: str, project: str, address: str) -> Party:
        """See `Credentials`."""
        return self._credentials.party(credential, project, address)

    async def ask(self, credential: str, project: str, address: str, method: str) -> Caller:
        """Whose credential it is, as policy says. Raises policy's refusal."""
        question = {"credential": credential, "project": project, "method": method, "resource": SELF, "action": SELF_ACTION}
        answer = await self._checked(question, address)
        self._credentials.remember(credential, project, answer)
        self._credentials.own(credential, project, answer.caller)
        return answer.caller

    async def authorise(self, credential: str, address: str, method: str, resource: str, action: str) -> Caller:
        """The same for something that only some may do. The answer is not remembered."""
        question = {"credential": credential, "project": "", "method": method, "resource": resource, "action": action}
        return (await self._checked(question, address)).caller

    async def _checked(self, question: dict[str, str], address: str) -> PolicyAnswer:
        from llm_mesh_runtime.access.questions import authorised  # noqa: PLC0415 (policy's messages are loaded with the first question)

        key = digest(question["credential"], "\x00".join((question["project"], question["resource"], question["action"])))
        return await self._credentials.checked(key, address, lambda: authorised(self._policy, self._credentials.revisions, question))
