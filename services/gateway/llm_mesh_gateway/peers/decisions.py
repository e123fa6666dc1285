"""Policy, router and catalogue as the domain wants them."""

from __future__ import annotations

from typing import Any

import grpc

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.catalogue.v1.catalogue_pb2_grpc import CatalogueServiceStub
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub
from llm_mesh.router.v1 import router_pb2
from llm_mesh.router.v1.router_pb2_grpc import RouterServiceStub
from llm_mesh_gateway.peers.calls import QUICK, answered, unavailable
from llm_mesh_runtime.peer_errors import from_rpc_error


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
        return await answered(self._stub.Extend(request, timeout=QUICK), "policy")

    async def settle(self, request: policy_pb2.SettleRequest, *, time_limit: float | None = None) -> policy_pb2.SettleResponse:
        """Charge what was used; policy answers after its commit."""
        try:
            answer: policy_pb2.SettleResponse = await self._stub.Settle(request, timeout=time_limit)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="policy") from error
        return answer

    async def kept_answer(self, request: policy_pb2.GetKeptAnswerRequest) -> policy_pb2.GetKeptAnswerResponse:
        """Ask for a kept answer."""
        return await answered(self._stub.GetKeptAnswer(request, timeout=QUICK), "policy")

    async def release(self, request: policy_pb2.ReleaseRequest) -> policy_pb2.ReleaseResponse:
        """Give back."""
        return await answered(self._stub.Release(request), "policy")

    async def heartbeat(self, request: policy_pb2.HeartbeatRequest) -> policy_pb2.HeartbeatResponse:
        """Say that this instance lives."""
        return await answered(self._stub.Heartbeat(request, timeout=QUICK), "policy")

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
        await answered(self._call.write(message), "policy")

    async def done_writing(self) -> None:
        """No more comes."""
        await answered(self._call.done_writing(), "policy")

    async def read(self) -> policy_pb2.ScreenStreamResponse | None:
        """What may be released."""
        message = await answered(self._call.read(), "policy")
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
        return await answered(self._stub.ListAliases(request), "router")

    async def report(self, request: router_pb2.ReportOutcomesRequest) -> None:
        """Tell how attempts went."""
        await answered(self._stub.ReportOutcomes(request, timeout=QUICK), "router")


class CataloguePeer:
    """`Catalogue`. Absent where no prompts are kept."""

    def __init__(self, channel: Any | None) -> None:  # noqa: ANN401 - see above
        self._stub = None if channel is None else CatalogueServiceStub(channel)

    async def render(self, request: catalogue_pb2.RenderRequest) -> catalogue_pb2.RenderResponse:
        """Render a prompt."""
        if self._stub is None:
            raise unavailable("catalogue")
        return await answered(self._stub.Render(request), "catalogue")
