"""The access stage: services by the table, keys by asking policy, everybody else not at all.

Policy's answers are cached for at most a second, by the digest of everything that was asked; a newer revision drops them.
Denials are never cached, and whatever goes wrong denies.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

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
    from llm_mesh_runtime.context import Frame
    from llm_mesh_runtime.pipeline import Method

AUTHORIZATION = "authorization"
PROJECT = "x-llm-mesh-project"
_SCHEME = "bearer "
_MAX_CREDENTIAL = 4096
_MAX_PROJECT = 256
_MAX_CACHED = 8192
_MAX_AGE = 1.0
_TIMEOUT = 5.0


class Question(NamedTuple):
    """What policy is to be asked about a call, and the digest of it."""

    credential: str
    resource: str
    project: str
    digest: bytes


class AccessStage:
    """Decides about the calls of one service."""

    def __init__(self, service: str, table: CallTable, policy: Callable[[], PolicyServiceStub], revisions: Revisions) -> None:
        self.service = service
        self.table = table
        self.policy = policy
        self.revisions = revisions
        self._cached: dict[bytes, tuple[float, int, Caller]] = {}

    def of(self, method: Method) -> MethodAccess:
        """Who decides about the calls of one method."""
        return MethodAccess(self, method)

    def cached(self, digest: bytes) -> Caller | None:
        """The caller as policy knew it a moment ago, where that still counts."""
        cached = self._cached.get(digest)
        if cached is not None and time.monotonic() < cached[0] and self.revisions.current(cached[1]):
            return cached[2]
        return None

    def remember(self, digest: bytes, entry: tuple[float, int, Caller]) -> None:
        """Keep a decision until a time, for its revision."""
        if len(self._cached) >= _MAX_CACHED:
            now = time.monotonic()
            self._cached = {key: value for key, value in self._cached.items() if value[0] > now}
            if len(self._cached) >= _MAX_CACHED:
                self._cached.clear()
        self._cached[digest] = entry

    async def ask(self, question: Question, method: str, action: str) -> Caller:
        """The caller as policy knows it, where policy lets the credential do it. Raises policy's refusal."""
        generation = self.revisions.generation
        asked = self.request(
            credential=question.credential, method=method, resource=question.resource, action=action, project=question.project
        )
        try:
            answer = await self.policy().Authorize(asked, timeout=_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            raise _refusal(error) from error
        caller = _caller(answer)
        if self.revisions.generation == generation:
            valid_for = answer.valid_for
            age = min(_MAX_AGE, valid_for.seconds + valid_for.nanos / 1e9)
            self.remember(question.digest, (time.monotonic() + age, answer.revision, caller))
        return caller

    @cached_property
    def request(self) -> Callable[..., AuthorizeRequest]:
        """A service without public methods never loads it."""
        from llm_mesh.policy.v1.policy_pb2 import AuthorizeRequest  # noqa: PLC0415 - see above

        return AuthorizeRequest


class MethodAccess:
    """Decides about the calls of one method."""

    __slots__ = ("_expand", "_hash", "_method", "_open", "_public", "_services", "_stage")

    def __init__(self, stage: AccessStage, method: Method) -> None:
        self._stage = stage
        self._method = method
        self._open = method.rule is None
        self._public = method.public
        self._expand = None if method.rule is None else expander(method.rule.resource)
        self._services: dict[str, Caller] = {}
        self._hash = hashlib.sha256(method.path.encode())
        """To be copied: making one looks the algorithm up each time, which costs several times the digest."""

    def known(self, frame: Frame, request: Any) -> Caller | Question:  # noqa: ANN401 - any message
        """The caller where that takes no question. Raises for those who are refused at once."""
        if self._open:
            return ANONYMOUS
        has_credential = AUTHORIZATION in frame.metadata
        calling = frame.calling
        if not self._public:
            if not calling or has_credential:
                raise RuntimeFault(errors_pb2.ERROR_REASON_MESH_ONLY, f"{self._method.path} serves services of the mesh only")
            return self._services.get(calling) or self._service_caller(calling)
        if calling:
            caller = self._services.get(calling) or self._service_caller(calling)
            if not has_credential:
                return caller
        question = self._question(frame.metadata, request)
        return self._stage.cached(question.digest) or question

    async def ask(self, question: Question) -> Caller:
        """The caller as policy knows it."""
        method = self._method
        rule: Any = method.rule
        return await self._stage.ask(question, method.path, rule.action)

    def _service_caller(self, service: str) -> Caller:
        """The caller that a service is, where the table lets it call the method. Names are few: only those that it knows are kept."""
        stage = self._stage
        if not stage.table.allows(service, stage.service, self._method.path):
            reason = errors_pb2.ERROR_REASON_CALLER_NOT_ALLOWED
            raise RuntimeFault(reason, f"{service} may not call {stage.service}", caller=service, callee=stage.service)
        caller = self._services[service] = Caller("service", service=service)
        return caller

    def _question(self, metadata: Mapping[str, str | bytes], request: Any) -> Question:  # noqa: ANN401 - any message
        resource = "" if self._expand is None else self._expand(request)
        return question_of(metadata, resource, self._hash.copy())


def question_of(metadata: Mapping[str, str | bytes], resource: str, digest: hashlib._Hash) -> Question:
    """What policy is to be asked about a credential and a resource; `digest` has what else belongs to the question."""
    credential, project = _credential(metadata), _project(metadata)
    digest.update(f"\x00{credential}\x00{resource}\x00{project}".encode("utf-8", "surrogatepass"))
    return Question(credential, resource, project, digest.digest())


def _credential(metadata: Mapping[str, str | bytes]) -> str:
    value = metadata.get(AUTHORIZATION)
    if isinstance(value, str) and value[: len(_SCHEME)].lower() == _SCHEME:
        credential = value[len(_SCHEME) :].strip()
        if 0 < len(credential) <= _MAX_CREDENTIAL:
            return credential
    raise RuntimeFault(errors_pb2.ERROR_REASON_MISSING_CREDENTIAL, "no credential, or one that cannot be read")


def _project(metadata: Mapping[str, str | bytes]) -> str:
    value = metadata.get(PROJECT, "")
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
