"""The service with a gateway and a policy that do as a test tells them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc

from llm_mesh.conversations.v1 import conversations_pb2_grpc, responses_pb2, responses_pb2_grpc, retention_pb2_grpc
from llm_mesh.gateway.v1 import errors_pb2, gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import admission_pb2, identity_pb2, identity_pb2_grpc, policy_pb2_grpc
from llm_mesh_conversations.settings import Settings
from llm_mesh_conversations.wiring import service
from llm_mesh_runtime.context import metadata
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import FakePolicy, HostedMesh, NoSettings, host

TRIAGE = "domains/claims/projects/triage"
KEYS = {
    "mk_ana": ("domains/claims", "ana", TRIAGE),
    "mk_bo": ("domains/claims", "bo", TRIAGE),
    "mk_other": ("domains/claims", "ana", "domains/claims/projects/other"),
    "mk_foreign": ("domains/trade", "eve", "domains/trade/projects/desk"),
    "mk_wide": ("domains/claims", "ana", ""),
}


class GatewayFailure(MeshError):
    reasons = errors_pb2.ErrorReason


@dataclass
class ScriptedGateway(gateway_pb2_grpc.GatewayServiceServicer):
    """Says the words, one event each, and waits before each that a gate is given for."""

    words: Sequence[str] = ("Hello", " ", "world")
    fails_after: int = -1
    gates: dict[int, asyncio.Event] = field(default_factory=dict)
    requests: list[gateway_pb2.GenerateStreamRequest] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    finish: generate_pb2.FinishReason = generate_pb2.FINISH_REASON_STOP

    async def GenerateStream(
        self, request: gateway_pb2.GenerateStreamRequest, context: Any
    ) -> AsyncIterator[gateway_pb2.GenerateStreamResponse]:
        self.requests.append(request)
        self.credentials.append(str(metadata().get("authorization", "")))
        try:
            yield gateway_pb2.GenerateStreamResponse(
                events=[generate_pb2.StreamEvent(started=generate_pb2.Started(id="x"))], reservation="r"
            )
            for number, word in enumerate(self.words):
                if number in self.gates:
                    await self.gates[number].wait()
                if number == self.fails_after:
                    raise GatewayFailure(errors_pb2.ERROR_REASON_ANSWER_INTERRUPTED, "the answer ended early")
                yield gateway_pb2.GenerateStreamResponse(events=[generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text=word))])
            finished = generate_pb2.ChoiceFinished(finish_reason=self.finish)
            yield gateway_pb2.GenerateStreamResponse(
                events=[generate_pb2.StreamEvent(choice_finished=finished)], receipt=gateway_pb2.Receipt(reservation="r")
            )
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.set()
            raise

    def service(self) -> Service:
        registration = (gateway_pb2_grpc.add_GatewayServiceServicer_to_server, self)
        return Service("gateway", ("llm_mesh.gateway.v1.GatewayService",), NoSettings, lambda _settings, _links: Servicers(registration))


class DomainPolicy(FakePolicy, identity_pb2_grpc.IdentityServiceServicer):
    """Knows the keys of tests, and domains that may not store anything."""

    def __init__(self) -> None:
        callers = {
            key: admission_pb2.Caller(principal=f"{domain}/principals/{name}", domain=domain, project=project)
            for key, (domain, name, project) in KEYS.items()
        }
        super().__init__(keys=callers)
        self.bound: set[str] = set()

    async def GetDomain(self, request: identity_pb2.GetDomainRequest, context: Any) -> identity_pb2.GetDomainResponse:
        domain = identity_pb2.Domain(name=request.name)
        domain.effective.zero_retention = request.name in self.bound
        return identity_pb2.GetDomainResponse(domain=domain)

    def service(self) -> Service:
        contracts = ("llm_mesh.policy.v1.PolicyService", "llm_mesh.policy.v1.IdentityService")
        registrations = (
            (policy_pb2_grpc.add_PolicyServiceServicer_to_server, self),
            (identity_pb2_grpc.add_IdentityServiceServicer_to_server, self),
        )
        return Service("policy", contracts, NoSettings, lambda _settings, _links: Servicers(*registrations))


class ContentWorld:
    """The running service, as applications and tests see it."""

    def __init__(self, mesh: HostedMesh, gateway: ScriptedGateway, policy: DomainPolicy) -> None:
        self.mesh = mesh
        self.gateway = gateway
        self.policy = policy

    def responses(self, key: str = "mk_ana") -> responses_pb2_grpc.ResponseServiceStub:
        return responses_pb2_grpc.ResponseServiceStub(self.mesh.application("conversations", key=key))

    def conversations(self, key: str = "mk_ana") -> conversations_pb2_grpc.ConversationServiceStub:
        return conversations_pb2_grpc.ConversationServiceStub(self.mesh.application("conversations", key=key))

    def retention(self, key: str = "mk_ana") -> retention_pb2_grpc.RetentionServiceStub:
        return retention_pb2_grpc.RetentionServiceStub(self.mesh.application("conversations", key=key))

    async def create(self, text: str = "Hi", *, key: str = "mk_ana", **fields: Any) -> responses_pb2.Response:
        """The response as it ended."""
        return [message async for message in self.responses(key).CreateResponse(asking(text, **fields))][-1].response


def asking(text: str, *, end_user: str = "", **fields: Any) -> responses_pb2.CreateResponseRequest:
    request = responses_pb2.CreateResponseRequest(**fields)
    request.input.model, request.input.end_user = "tiny", end_user
    request.input.messages.append(message(text))
    return request


def message(text: str) -> content_pb2.Message:
    return content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text=text))])


async def read_out(reading: Any) -> list[Any]:
    """What is left of a stream."""
    messages = []
    while (received := await reading.read()) is not grpc.aio.EOF:
        messages.append(received)
    return messages


@contextlib.asynccontextmanager
async def content_world(**settings: Any) -> AsyncIterator[ContentWorld]:
    data_dir = settings.pop("data_dir", None)
    gateway, policy = ScriptedGateway(), DomainPolicy()
    mesh = {"data_dir": data_dir} if data_dir is not None else {}
    overrides = {"conversations": Settings(**settings)}
    async with host(gateway.service(), service, policy=policy, settings=overrides, **mesh) as running:
        yield ContentWorld(running, gateway, policy)
