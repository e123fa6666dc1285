"""`policy.Authorize`, asked and understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import grpc

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh.policy.v1.policy_pb2 import AuthorizeRequest
from llm_mesh_runtime.access.credentials import PolicyAnswer
from llm_mesh_runtime.context import Caller
from llm_mesh_runtime.errors import MeshError, RuntimeFault
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.shares import Party

if TYPE_CHECKING:
    from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub
    from llm_mesh_runtime.access.revision import Revisions

_MAX_AGE = 1.0
_TIMEOUT = 5.0


async def authorised(policy: Callable[[], PolicyServiceStub], revisions: Revisions, question: Mapping[str, Any]) -> PolicyAnswer:
    """Policy's answer to a question. Raises its refusal."""
    generation = revisions.generation
    try:
        answer = await policy().Authorize(AuthorizeRequest(**question), timeout=_TIMEOUT)
    except grpc.aio.AioRpcError as error:
        raise _refusal(error) from error
    valid_for = answer.valid_for
    age = min(_MAX_AGE, valid_for.seconds + valid_for.nanos / 1e9)
    return PolicyAnswer(_caller(answer), age, revisions.generation == generation)


def _caller(answer: Any) -> Caller:  # noqa: ANN401 - policy's AuthorizeResponse
    message = answer.caller
    return Caller(
        "key",
        principal=message.principal,
        domain=message.domain,
        project=message.project,
        key=message.key,
        revision=answer.revision,
        message=message,
        sealed=answer.sealed_caller,
        party=Party(message.domain, message.principal),
    )


def _refusal(error: grpc.aio.AioRpcError) -> MeshError:
    """Policy's refusal as it is; whatever else went wrong is the mesh's trouble, never the credential's."""
    refusal = from_rpc_error(error, peer="policy")
    if refusal.reason_name in {"MESH_ONLY", "CALLER_NOT_ALLOWED"} and refusal.domain == "mesh.llm-mesh":
        return RuntimeFault(errors_pb2.ERROR_REASON_PEER_UNAVAILABLE, "policy does not know this service", peer="policy")
    return refusal
