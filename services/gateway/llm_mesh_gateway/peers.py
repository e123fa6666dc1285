"""Policy, router, catalogue and adapters as the domain wants them, and the states of all services. The only place that knows stubs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.unknown_fields import UnknownFieldSet
from grpc_health.v1 import health_pb2, health_pb2_grpc

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.adapter.v1.adapter_pb2_grpc import AdapterServiceStub
from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.catalogue.v1.catalogue_pb2_grpc import CatalogueServiceStub
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh.mesh.v1 import errors_pb2, resources_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub
from llm_mesh.router.v1 import router_pb2
from llm_mesh.router.v1.router_pb2_grpc import RouterServiceStub
from llm_mesh_gateway.domain.ports import AttemptCall, Piece
from llm_mesh_runtime.errors import RuntimeFault
from llm_mesh_runtime.links import LinkError, Links
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.service import Relay

T = TypeVar("T")
_QUICK = 5.0
_NO_SUCH_METHOD = "NOT_IMPLEMENTED"
_CHECK = 2.0
_ADAPTERS = "adapter/"
_SERVING = health_pb2.HealthCheckResponse.SERVING


async def _told(call: Awaitable[T], peer: str) -> T:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error, peer=peer) from error


class PolicyPeer:
    """`Policy` and `Ledger`. The steps of every request are written out: a coroutine around each would cost as much as the step."""

    def __init__(self, channel: Any) -> None:  # noqa: ANN401 - what stubs take has no common type
        self._stub = PolicyServiceStub(channel)

    async def admit(self, request: policy_pb2.AdmitRequest) -> policy_pb2.AdmitResponse:
        """Ask for admission."""
        try:
            answer: policy_pb2.AdmitResponse = await self._stub.Admit(request)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="policy") from error
        return answer

    async def reserve(self, request: policy_pb2.ReserveRequest) -> policy_pb2.ReserveResponse:
        """Hold the money."""
        try:
            answer: policy_pb2.ReserveResponse = await self._stub.Reserve(request)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="policy") from error
        return answer

    async def extend(self, request: policy_pb2.ExtendRequest) -> policy_pb2.ExtendResponse:
        """Hold the money of one attempt more."""
        return await _told(self._stub.Extend(request, timeout=_QUICK), "policy")

    async def settle(self, request: policy_pb2.SettleRequest, *, patience: float | None = None) -> policy_pb2.SettleResponse:
        """Charge."""
        try:
            answer: policy_pb2.SettleResponse = await self._stub.Settle(request, timeout=patience)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="policy") from error
        return answer

    async def kept_answer(self, request: policy_pb2.GetKeptAnswerRequest) -> policy_pb2.GetKeptAnswerResponse:
        """Ask for a kept answer."""
        return await _told(self._stub.GetKeptAnswer(request, timeout=_QUICK), "policy")

    async def release(self, request: policy_pb2.ReleaseRequest) -> policy_pb2.ReleaseResponse:
        """Give back."""
        return await _told(self._stub.Release(request), "policy")

    async def heartbeat(self, request: policy_pb2.HeartbeatRequest) -> policy_pb2.HeartbeatResponse:
        """Say that this instance lives."""
        return await _told(self._stub.Heartbeat(request, timeout=_QUICK), "policy")

    async def screen(self, admission: resources_pb2.Sealed, state: bytes) -> ScreeningCall:
        """Begin to screen an answer."""
        session = ScreeningCall(self._stub.ScreenStream())
        start = policy_pb2.ScreenStart(admission=admission, screen_state=state)
        await session.send(policy_pb2.ScreenStreamRequest(start=start))
        return session


class ScreeningCall:
    """`ScreenSession`."""

    def __init__(self, call: Any) -> None:  # noqa: ANN401 - a call of either link
        self._call = call

    async def write(self, text: policy_pb2.ScreenText) -> None:
        """Hand in a piece."""
        await self.send(policy_pb2.ScreenStreamRequest(text=text))

    async def send(self, message: policy_pb2.ScreenStreamRequest) -> None:
        """Send whatever message."""
        await _told(self._call.write(message), "policy")

    async def done_writing(self) -> None:
        """No more comes."""
        await _told(self._call.done_writing(), "policy")

    async def read(self) -> policy_pb2.ScreenStreamResponse | None:
        """What may be released."""
        message = await _told(self._call.read(), "policy")
        return None if message is grpc.aio.EOF else message

    def cancel(self) -> None:
        """Screen no more."""
        self._call.cancel()


class RouterPeer:
    """`Router`."""

    def __init__(self, channel: Any) -> None:  # noqa: ANN401 - see above
        self._stub = RouterServiceStub(channel)

    async def plan(self, request: router_pb2.PlanRequest) -> router_pb2.PlanResponse:
        """Ask for a plan."""
        try:
            answer: router_pb2.PlanResponse = await self._stub.Plan(request)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="router") from error
        return answer

    async def aliases(self, request: router_pb2.ListAliasesRequest) -> router_pb2.ListAliasesResponse:
        """What a domain may ask for."""
        return await _told(self._stub.ListAliases(request), "router")

    async def report(self, request: router_pb2.ReportOutcomesRequest) -> None:
        """Tell how attempts went."""
        await _told(self._stub.ReportOutcomes(request, timeout=_QUICK), "router")


class CataloguePeer:
    """`Catalogue`. Absent where no prompts are kept."""

    def __init__(self, channel: Any | None) -> None:  # noqa: ANN401 - see above
        self._stub = None if channel is None else CatalogueServiceStub(channel)

    async def render(self, request: catalogue_pb2.RenderRequest) -> catalogue_pb2.RenderResponse:
        """Render a prompt."""
        if self._stub is None:
            raise _unavailable("catalogue")
        return await _told(self._stub.Render(request), "catalogue")


class AdapterPeers:
    """`Adapters`: plans name them, and only operator settings map those names to addresses."""

    def __init__(self, channel: Callable[[str], Any]) -> None:
        self._channel = channel
        self._stubs: dict[str, Any] = {}

    def generate(self, adapter: str, request: adapter_pb2.GenerateRequest) -> AttemptCall:
        """Ask for a whole answer."""
        return _WholeCall(self._stub(adapter).Generate(request), adapter)

    def stream(self, adapter: str, request: adapter_pb2.GenerateStreamRequest) -> AttemptCall:
        """Ask for a stream."""
        return _StreamedCall(self._stub(adapter).GenerateStream(request), adapter)

    def embed(self, adapter: str, request: adapter_pb2.EmbedStreamRequest) -> AttemptCall:
        """Ask for vectors."""
        return _VectorsCall(self._stub(adapter), request, adapter)

    async def count(self, request: adapter_pb2.CountTokensRequest) -> embed_pb2.TokenCount:
        """Ask for a count."""
        name = request.attempt.adapter
        answer: adapter_pb2.CountTokensResponse = await _told(self._stub(name).CountTokens(request, timeout=_QUICK), _peer(name))
        return answer.count

    def _stub(self, name: str) -> Any:  # noqa: ANN401 - see above
        stub = self._stubs.get(name)
        if stub is None:
            try:
                stub = AdapterServiceStub(self._channel(_peer(name)))
            except LinkError:
                return _Absent(name)
            self._stubs[name] = stub
        return stub


class _Absent:
    """An adapter that no link leads to: its attempts fail like those of one that is down."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, _method: str) -> Any:  # noqa: ANN401 - see above
        def call(_request: object, **_: object) -> _AbsentCall:
            return _AbsentCall(self._name)

        return call


class _AbsentCall:
    def __init__(self, name: str) -> None:
        self._name = name

    def __await__(self) -> Any:  # noqa: ANN401 - never answers
        raise _unavailable(_peer(self._name))

    async def read(self) -> None:
        raise _unavailable(_peer(self._name))

    def cancel(self) -> None:
        return


class _WholeCall:
    """`AttemptCall` of a method with one answer."""

    __slots__ = ("_call", "_name", "_over")

    def __init__(self, call: Any, name: str) -> None:  # noqa: ANN401 - see above
        self._call = call
        self._name = name
        self._over = False

    async def next(self) -> Piece | None:
        if self._over:
            return None
        try:
            answer = await self._call
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=_peer(self._name)) from error
        self._over = True
        return Piece(answer=answer.output, report=answer.report)

    def cancel(self) -> None:
        if not self._over:
            self._call.cancel()


class _StreamedCall:
    """`AttemptCall` of a method that streams."""

    __slots__ = ("_call", "_name")

    def __init__(self, call: Any, name: str) -> None:  # noqa: ANN401 - see above
        self._call = call
        self._name = name

    async def next(self) -> Piece | None:
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=_peer(self._name)) from error
        if message is grpc.aio.EOF:
            return None
        if message.HasField("final"):
            return Piece(message.events, None, message.final)
        # What an adapter of a later contract says beside the events is not the gateway's to tell.
        return Piece(message.events, None, None, None if len(UnknownFieldSet(message)) else message)

    def cancel(self) -> None:
        self._call.cancel()


class _VectorsCall:
    """`AttemptCall` of a method that answers vectors in pieces. They become one piece here: a caller pays only for what is whole."""

    __slots__ = ("_call", "_name", "_over", "_request", "_stub")

    def __init__(self, stub: Any, request: adapter_pb2.EmbedStreamRequest, name: str) -> None:  # noqa: ANN401 - see above
        self._stub = stub
        self._request = request
        self._name = name
        self._call = stub.EmbedStream(request)
        self._over = False

    async def next(self) -> Piece | None:
        if self._over:
            return None
        try:
            return await self._read()
        except grpc.aio.AioRpcError as error:
            failure = from_rpc_error(error, peer=_peer(self._name))
            if failure.reason_name != _NO_SUCH_METHOD:
                raise failure from error
        return await self._whole()

    async def _read(self) -> Piece | None:
        output, report, vectors = embed_pb2.EmbedOutput(), adapter_pb2.AttemptReport(), []
        while (message := await self._call.read()) is not grpc.aio.EOF:
            if message.HasField("output"):
                output.CopyFrom(message.output)
            if message.HasField("report"):
                self._over = True
                report.CopyFrom(message.report)
            if message.embeddings:
                vectors.append(_vectors_alone(message))
            if self._over:
                return Piece(answer=output, report=report, vectors=vectors)
        return None

    async def _whole(self) -> Piece:
        """Of an adapter whose contract is one version behind."""
        request = adapter_pb2.EmbedRequest(grant=self._request.grant, attempt=self._request.attempt, input=self._request.input)
        try:
            answer = await self._stub.Embed(request)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=_peer(self._name)) from error
        self._over = True
        vectors = [embed_pb2.EmbedOutput(embeddings=answer.output.embeddings).SerializeToString()]
        answer.output.ClearField("embeddings")
        return Piece(answer=answer.output, report=answer.report, vectors=vectors)

    def cancel(self) -> None:
        if not self._over:
            self._call.cancel()


def _vectors_alone(message: adapter_pb2.EmbedStreamResponse) -> bytes:
    """The message with nothing but its vectors. What an adapter of a later contract says beside is not the gateway's to tell."""
    message.ClearField("output")
    message.ClearField("report")
    message.DiscardUnknownFields()
    return message.SerializeToString()


class ServicePeers:
    """All services that this gateway has a link to, itself among them, as `grpc.health.v1` tells of them."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def check(self) -> list[gateway_pb2.ServiceCheck]:
        """How each of them is, by name."""
        names = [name for name in self._links.names() if not name.startswith("process/")]
        states = await asyncio.gather(*map(self._state, names))
        return [gateway_pb2.ServiceCheck(service=name, state=state) for name, state in zip(names, states, strict=True)]

    async def _state(self, name: str) -> gateway_pb2.ServiceState:
        stub = health_pb2_grpc.HealthStub(self._links.channel(name))
        try:
            answer = await stub.List(health_pb2.HealthListRequest(), timeout=_CHECK)
        except grpc.aio.AioRpcError:
            return gateway_pb2.SERVICE_STATE_UNREACHABLE
        own = [state.status for known, state in answer.statuses.items() if known == name or known.startswith(f"llm_mesh.{name}.")]
        serving = all(status == _SERVING for status in own or [answer.statuses[""].status])
        return gateway_pb2.SERVICE_STATE_SERVING if serving else gateway_pb2.SERVICE_STATE_NOT_SERVING


def relays() -> tuple[Relay, ...]:
    """Whose public methods a gateway that runs apart passes on: those of all other services."""
    from llm_mesh.adapter.v1 import adapter_pb2_grpc  # noqa: PLC0415 (only a gateway with a public listener of its own needs them)
    from llm_mesh.catalogue.v1 import catalogue_pb2_grpc  # noqa: PLC0415 (likewise)
    from llm_mesh.observability.v1 import observability_pb2_grpc  # noqa: PLC0415 (likewise)
    from llm_mesh.policy.v1 import identity_pb2_grpc, ledger_pb2_grpc, rules_pb2_grpc  # noqa: PLC0415 (likewise)
    from llm_mesh.registry.v1 import registry_pb2_grpc  # noqa: PLC0415 (likewise)
    from llm_mesh.router.v1 import router_pb2_grpc  # noqa: PLC0415 (likewise)

    policy = (
        identity_pb2_grpc.add_IdentityServiceServicer_to_server,
        rules_pb2_grpc.add_RuleServiceServicer_to_server,
        ledger_pb2_grpc.add_LedgerServiceServicer_to_server,
    )
    return (
        Relay("policy", policy),
        Relay("registry", (registry_pb2_grpc.add_RegistryServiceServicer_to_server,)),
        Relay("router", (router_pb2_grpc.add_RouterServiceServicer_to_server,)),
        Relay("catalogue", (catalogue_pb2_grpc.add_CatalogueServiceServicer_to_server,)),
        Relay("observability", (observability_pb2_grpc.add_ObservabilityServiceServicer_to_server,)),
        Relay(_ADAPTERS, (adapter_pb2_grpc.add_AdapterServiceServicer_to_server,)),
    )


def _peer(adapter: str) -> str:
    return f"{_ADAPTERS}{adapter}"


def _unavailable(peer: str) -> RuntimeFault:
    reason = errors_pb2.ERROR_REASON_PEER_UNAVAILABLE
    return RuntimeFault(reason, f"no link leads to {peer}", retry_after=1.0, peer=peer, sent="false")
