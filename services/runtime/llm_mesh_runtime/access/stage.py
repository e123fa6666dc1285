"""The access stage: services by the table, keys by asking policy, everybody else not at all.

It decides twice. From the head of a call, before its message is read: a service by its name, a key by being valid. And once more where
the resource stands in the message. Policy's decisions are cached for at most a second, by the digest of everything that was asked; a
newer revision drops them. Denials are never cached, and whatever goes wrong denies.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.access.credentials import (
    MAX_CREDENTIAL,
    MAX_PROJECT,
    SELF,
    SELF_ACTION,
    Credentials,
    PolicyAnswer,
    missing_credential,
)
from llm_mesh_runtime.access.resources import expander
from llm_mesh_runtime.context import ANONYMOUS, Caller
from llm_mesh_runtime.errors import MeshError, RuntimeFault

if TYPE_CHECKING:
    from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub
    from llm_mesh_runtime.access.table import CallTable
    from llm_mesh_runtime.context import Frame
    from llm_mesh_runtime.pipeline import Method
    from llm_mesh_runtime.shares import Party

AUTHORIZATION = "authorization"
PROJECT = "x-llm-mesh-project"
_SCHEME = "bearer "
_MAX_CACHED = 8192


class AccessQuestion(NamedTuple):
    """What policy is to be asked about a call, and the digest of it."""

    credential: str
    resource: str
    project: str
    digest: bytes
    action: str
    fault: MeshError | None = None
    """What is wrong with the head besides: told once the credential is known to be valid."""


class AccessStage:
    """Decides about the calls of one service."""

    def __init__(self, service: str, table: CallTable, policy: Callable[[], PolicyServiceStub], credentials: Credentials) -> None:
        self.service = service
        self.table = table
        self.policy = policy
        self.credentials = credentials
        self.revisions = credentials.revisions
        self._cached: dict[bytes, tuple[float, int, Caller]] = {}
        self._authorised: Callable[..., Awaitable[PolicyAnswer]] | None = None

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

    def authorised(self, question: AccessQuestion, method: str) -> Awaitable[PolicyAnswer]:
        """What policy says."""
        if self._authorised is None:  # looked up once: finding a module costs a tenth of the question
            from llm_mesh_runtime.access.questions import authorised  # noqa: PLC0415 - a service without public methods never loads it

            self._authorised = authorised
        credential, resource, project, _, action, _ = question
        fields = {"credential": credential, "method": method, "resource": resource, "action": action, "project": project}
        return self._authorised(self.policy, self.revisions, fields)

    async def ask(self, question: AccessQuestion, method: str) -> Caller:
        """The caller as policy knows it, where policy lets the credential do it. Raises policy's refusal."""
        answer = await self.authorised(question, method)
        self.keep(question, answer)
        return answer.caller

    def keep(self, question: AccessQuestion, answer: PolicyAnswer) -> None:
        """Remember what policy said, unless its revision has changed meanwhile."""
        if answer.current:
            self.remember(question.digest, (time.monotonic() + answer.age, answer.caller.revision, answer.caller))


class MethodAccess:
    """Decides about the calls of one method."""

    __slots__ = ("_action", "_expand", "_hash", "_method", "_open", "_public", "_services", "_stage", "by_request")

    def __init__(self, stage: AccessStage, method: Method) -> None:
        self._stage = stage
        self._method = method
        self._open = method.rule is None
        self._public = method.public
        self._action = "" if method.rule is None else method.rule.action
        self._expand = None if method.rule is None else expander(method.rule.resource)
        self.by_request = self._public and method.rule is not None and "{" in method.rule.resource
        """Whether the message says what is wanted, so that the head alone does not decide."""
        self._services: dict[str, Caller] = {}
        self._hash = hashlib.sha256(method.path.encode())
        """To be copied: making one looks the algorithm up each time, which costs several times the digest."""

    def head(self, frame: Frame) -> Caller | AccessQuestion:
        """The caller as far as the head of a call tells, or what is to be asked about it. Raises for those who are refused at once."""
        if self._open:
            return ANONYMOUS
        metadata, calling = frame.metadata, frame.calling
        has_credential = AUTHORIZATION in metadata
        if not self._public:
            if not calling or has_credential:
                raise RuntimeFault(errors_pb2.ERROR_REASON_MESH_ONLY, f"{self._method.path} serves services of the mesh only")
            return self._services.get(calling) or self._service_caller(calling)
        if calling and not (has_credential and self._stage.table.relays(calling, self._stage.service)):
            caller = self._services.get(calling) or self._service_caller(calling)
            if not has_credential:
                return caller
        return self._head_of_key(metadata)

    async def ask(self, question: AccessQuestion, address: str) -> Caller:
        """The caller of a head, as policy knows it."""
        stage, credential, project = self._stage, question.credential, question.project
        method = self._method.path
        answer = await stage.credentials.checked(question.digest, address, lambda: stage.authorised(question, method))
        stage.credentials.own(credential, project, answer.caller)
        if question.resource == SELF:
            stage.credentials.remember(credential, project, answer)
        if not self.by_request:
            stage.keep(question, answer)
        if question.fault is not None:
            raise question.fault
        return answer.caller

    def party(self, question: AccessQuestion, address: str) -> Party:
        """Who shares bounds with others while policy has not been asked."""
        return self._stage.credentials.party(question.credential, question.project, address)

    def known(self, frame: Frame, request: Any) -> Caller | AccessQuestion:  # noqa: ANN401 - any message
        """The caller, who may do what the request wants, where that takes no question."""
        if frame.calling and AUTHORIZATION not in frame.metadata:
            return frame.caller
        resource = "" if self._expand is None else self._expand(request)
        question = question_of(frame.metadata, resource, self._hash.copy(), self._action)
        return self._stage.cached(question.digest) or question

    def decide(self, question: AccessQuestion) -> Awaitable[Caller]:
        """The caller, as policy decides about what the request wants."""
        return self._stage.ask(question, self._method.path)

    def _head_of_key(self, metadata: Mapping[str, str | bytes]) -> Caller | AccessQuestion:
        credential = _credential(metadata)
        project, fault = _project(metadata)
        stage = self._stage
        if self.by_request:
            caller = stage.credentials.known(credential, project)
            if caller is not None and fault is None:
                return caller
            question = self._question(credential, SELF, project, SELF_ACTION, fault)
        else:
            question = self._question(credential, "" if self._expand is None else self._expand(None), project, fault=fault)
            caller = stage.cached(question.digest)
            if caller is not None and fault is None:
                return caller
        return question

    def _service_caller(self, service: str) -> Caller:
        """The caller that a service is, where the table lets it call the method. Names are few: only those that it knows are kept."""
        stage = self._stage
        if not stage.table.allows(service, stage.service, self._method.path):
            reason = errors_pb2.ERROR_REASON_CALLER_NOT_ALLOWED
            raise RuntimeFault(reason, f"{service} may not call {stage.service}", caller=service, callee=stage.service)
        caller = self._services[service] = Caller("service", service=service)
        return caller

    def _question(self, credential: str, resource: str, project: str, action: str = "", fault: MeshError | None = None) -> AccessQuestion:
        digest = self._hash.copy()
        digest.update(f"\x00{credential}\x00{resource}\x00{project}".encode("utf-8", "surrogatepass"))
        return AccessQuestion(credential, resource, project, digest.digest(), action or self._action, fault)


def question_of(metadata: Mapping[str, str | bytes], resource: str, digest: hashlib._Hash, action: str) -> AccessQuestion:
    """What policy is to be asked about a credential and a resource; `digest` has what else belongs to the question."""
    credential, (project, fault) = _credential(metadata), _project(metadata)
    if fault is not None:
        raise fault
    digest.update(f"\x00{credential}\x00{resource}\x00{project}".encode("utf-8", "surrogatepass"))
    return AccessQuestion(credential, resource, project, digest.digest(), action)


def _credential(metadata: Mapping[str, str | bytes]) -> str:
    value = metadata.get(AUTHORIZATION)
    if isinstance(value, str) and value[: len(_SCHEME)].lower() == _SCHEME:
        credential = value[len(_SCHEME) :].strip()
        if 0 < len(credential) <= MAX_CREDENTIAL:
            return credential
    raise missing_credential()


def _project(metadata: Mapping[str, str | bytes]) -> tuple[str, MeshError | None]:
    """The selected project, and what is wrong with it: strangers are not told."""
    value = metadata.get(PROJECT, "")
    if isinstance(value, str) and len(value) <= MAX_PROJECT:
        return value, None
    reason = errors_pb2.ERROR_REASON_INVALID_FIELD
    return "", RuntimeFault(reason, f"{PROJECT}: at most {MAX_PROJECT} characters", field=PROJECT)
