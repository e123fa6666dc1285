"""The access stage: services by the table, keys by asking policy, everybody else not at all.

Policy's answers are cached for at most a second, by the digest of everything that was asked; a newer revision drops them.
Denials are never cached, and whatever goes wrong denies.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import grpc

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.access.resources import expander
from llm_mesh_runtime.context import ANONYMOUS, Caller
from llm_mesh_runtime.errors import MeshError, RuntimeFault, from_rpc_error

if TYPE_CHECKING:
    from llm_mesh.policy.v1.policy_pb2 import AuthorizeRequest
    from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub
    from llm_mesh_runtime.access.revision import Revisions
    from llm_mesh_runtime.access.table import CallTable
    from llm_mesh_runtime.pipeline import Inbound, Method

AUTHORIZATION = "authorization"
PROJECT = "x-llm-mesh-project"
_SCHEME = "bearer "
_MAX_CREDENTIAL = 4096
_MAX_PROJECT = 256
_MAX_CACHED = 8192
_MAX_AGE = 1.0
_TIMEOUT = 5.0


class AccessStage:
    """Decides about the calls of one service."""

    def __init__(self, service: str, table: CallTable, policy: Callable[[], PolicyServiceStub], revisions: Revisions) -> None:
        self._service = service
        self._table = table
        self._policy = policy
        self._revisions = revisions
        self._services: dict[tuple[str, str], Caller] = {}
        self._cached: dict[bytes, tuple[float, int, Caller]] = {}
        self._expanders: dict[str, Callable[[Any], str]] = {}
        self._hash = hashlib.sha256()
        """Of nothing, to be copied: making one looks the algorithm up each time, which costs several times the digest."""

    def known(self, method: Method, inbound: Inbound, request: Any) -> Caller | None:  # noqa: ANN401 - any message
        """The caller where that takes no question. None: ask policy. Raises for those who are refused at once."""
        if method.rule is None:
            return ANONYMOUS
        has_credential = AUTHORIZATION in inbound.metadata
        if not method.public:
            if not inbound.service or has_credential:
                raise RuntimeFault(errors_pb2.ERROR_REASON_MESH_ONLY, f"{method.path} serves services of the mesh only")
            return self._service_caller(inbound.service, method)
        if inbound.service:
            caller = self._service_caller(inbound.service, method)
            if not has_credential:
                return caller
        digest = self._digest(method, _credential(inbound), self._resource(method, request), _project(inbound))
        cached = self._cached.get(digest)
        if cached is not None and time.monotonic() < cached[0] and self._revisions.current(cached[1]):
            return cached[2]
        return None

    async def ask(self, method: Method, inbound: Inbound, request: Any) -> Caller:  # noqa: ANN401 - any message
        """The caller as policy knows it."""
        credential, resource, project = _credential(inbound), self._resource(method, request), _project(inbound)
        generation = self._revisions.generation
        rule: Any = method.rule
        asked = self._request(credential=credential, method=method.path, resource=resource, action=rule.action, project=project)
        try:
            answer = await self._policy().Authorize(asked, timeout=_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            raise _refusal(error) from error
        caller = _caller(answer)
        if self._revisions.generation == generation:
            valid_for = answer.valid_for
            age = min(_MAX_AGE, valid_for.seconds + valid_for.nanos / 1e9)
            self._remember(self._digest(method, credential, resource, project), (time.monotonic() + age, answer.revision, caller))
        return caller

    @cached_property
    def _request(self) -> Callable[..., AuthorizeRequest]:
        """A service without public methods never loads it."""
        from llm_mesh.policy.v1.policy_pb2 import AuthorizeRequest  # noqa: PLC0415 - see above

        return AuthorizeRequest

    def _remember(self, digest: bytes, entry: tuple[float, int, Caller]) -> None:
        if len(self._cached) >= _MAX_CACHED:
            now = time.monotonic()
            self._cached = {key: value for key, value in self._cached.items() if value[0] > now}
            if len(self._cached) >= _MAX_CACHED:
                self._cached.clear()
        self._cached[digest] = entry

    def _service_caller(self, service: str, method: Method) -> Caller:
        """The caller that a service is, where the table lets it call the method. Names are few: only those that it knows are kept."""
        caller = self._services.get((service, method.path))
        if caller is None:
            if not self._table.allows(service, self._service, method.path):
                reason = errors_pb2.ERROR_REASON_CALLER_NOT_ALLOWED
                raise RuntimeFault(reason, f"{service} may not call {self._service}", caller=service, callee=self._service)
            caller = self._services[service, method.path] = Caller("service", service=service)
        return caller

    def _resource(self, method: Method, request: Any) -> str:  # noqa: ANN401 - any message
        expand = self._expanders.get(method.path)
        if expand is None:
            rule: Any = method.rule
            expand = self._expanders[method.path] = expander(rule.resource)
        return expand(request)

    def _digest(self, method: Method, credential: str, resource: str, project: str) -> bytes:
        asked = f"{credential}\x00{method.path}\x00{resource}\x00{project}"
        digest = self._hash.copy()
        digest.update(asked.encode("utf-8", "surrogatepass"))
        return digest.digest()


def _credential(inbound: Inbound) -> str:
    value = inbound.metadata.get(AUTHORIZATION)
    if isinstance(value, str) and value[: len(_SCHEME)].lower() == _SCHEME:
        credential = value[len(_SCHEME) :].strip()
        if 0 < len(credential) <= _MAX_CREDENTIAL:
            return credential
    raise RuntimeFault(errors_pb2.ERROR_REASON_MISSING_CREDENTIAL, "no credential, or one that cannot be read")


def _project(inbound: Inbound) -> str:
    value = inbound.metadata.get(PROJECT, "")
    if not isinstance(value, str) or len(value) > _MAX_PROJECT:
        reason = errors_pb2.ERROR_REASON_INVALID_FIELD
        raise RuntimeFault(reason, f"{PROJECT}: at most {_MAX_PROJECT} characters", field=PROJECT)
    return value


def _caller(answer: Any) -> Caller:  # noqa: ANN401 - policy's AuthorizeResponse, which is loaded late
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
    )


def _refusal(error: grpc.aio.AioRpcError) -> MeshError:
    """Policy's refusal as it is; whatever else went wrong is the mesh's trouble, never the credential's."""
    refusal = from_rpc_error(error, peer="policy")
    if refusal.reason_name in {"MESH_ONLY", "CALLER_NOT_ALLOWED"} and refusal.domain == "mesh.llm-mesh":
        return RuntimeFault(errors_pb2.ERROR_REASON_PEER_UNAVAILABLE, "policy does not know this service", peer="policy")
    return refusal
