"""Every RPC, called by a peer of another version and answered by one, over real connections and the whole pipeline."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory

import llm_mesh
from llm_mesh_runtime.access.table import ONLY_FOR
from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.links.remote import RemoteChannel
from llm_mesh_runtime.pipeline import bodies
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import NoSettings, host
from tests.skew.contracts import Rpc, Version, contracts, filled

LINK = "llm_mesh.link.v1.LinkService"
"""Every mesh listener serves it itself, and its two sides agree about versions in their greeting: see tests/link."""
CONTRACTS = sorted({rpc.contract for rpc in contracts("today").rpcs()} - {LINK})
OTHERS: tuple[Version, ...] = ("released", "future")


@cache
def generated() -> dict[str, Any]:
    """The generated modules with stubs, by contract."""
    found = {}
    for module in pkgutil.walk_packages(llm_mesh.__path__, "llm_mesh."):
        if module.name.endswith("_pb2_grpc"):
            loaded = importlib.import_module(module.name)
            for name in vars(loaded):
                if name.startswith("add_") and name.endswith("_to_server"):
                    service = name.removeprefix("add_").removesuffix("Servicer_to_server")
                    found[f"{module.name.rpartition('.')[0]}.{service}"] = loaded
    return found


def rpcs(version: Version, contract: str) -> list[Rpc]:
    return [rpc for rpc in contracts(version).rpcs() if rpc.contract == contract]


def part(contract: str, kind: str) -> Any:
    """`XServicer`, `XStub` or `add_XServicer_to_server` of a contract."""
    return getattr(generated()[contract], kind.format(contract.rpartition(".")[2]))


class Recorded:
    """A servicer of today that answers everything in full and keeps what arrived."""

    def __init__(self, contract: str) -> None:
        self.arrived: dict[str, Any] = {}
        today = {rpc.name: rpc for rpc in rpcs("today", contract)}
        methods = {name: self._method(name, filled(ours(rpc.response)), rpc) for name, rpc in today.items()}
        self.servicer = type("Servicer", (part(contract, "{}Servicer"),), methods)()

    def _method(self, name: str, answer: Any, rpc: Rpc) -> Callable[..., Any]:
        async def received(request: Any) -> None:
            self.arrived[name] = [each async for each in request][-1] if rpc.streams_in else request

        async def unary(_self: object, request: Any, _context: object) -> Any:
            await received(request)
            return answer

        async def streamed(_self: object, request: Any, _context: object) -> AsyncIterator[Any]:
            await received(request)
            yield answer
            yield answer

        return streamed if rpc.streams_out else unary


def ours(message_class: type[Any]) -> type[Any]:
    """The generated class of a message that another version has, too."""
    generated()
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(message_class.DESCRIPTOR.full_name))


async def call(channel: Any, rpc: Rpc, request: Any) -> list[Any]:
    """Call as a peer whose messages are the RPC's own classes."""
    kind = f"{'stream' if rpc.streams_in else 'unary'}_{'stream' if rpc.streams_out else 'unary'}"
    prepared = getattr(channel, kind)(
        rpc.path, request_serializer=rpc.request.SerializeToString, response_deserializer=rpc.response.FromString
    )
    return await answers_of(prepared(_sent(request) if rpc.streams_in else request, timeout=10), rpc)


async def answers_of(started: Any, rpc: Rpc) -> list[Any]:
    """All answers of a call."""
    return [answer async for answer in started] if rpc.streams_out else [await started]


async def _sent(request: Any) -> AsyncIterator[Any]:
    yield request


@pytest.fixture
def no_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every field is filled, whatever its rules: what is looked at here is that nothing is lost."""
    monkeypatch.setattr(bodies, "request_check", lambda _descriptor, **_: None)


@pytest.mark.usefixtures("no_rules")
@pytest.mark.parametrize("version", OTHERS)
@pytest.mark.parametrize("contract", CONTRACTS)
async def test_callers_of_other_versions_are_understood_and_understand_us(contract: str, version: Version) -> None:
    recorded = Recorded(contract)
    registration = (part(contract, "add_{}Servicer_to_server"), recorded.servicer)
    service = Service("skew", (contract,), NoSettings, lambda _settings, _links: Servicers(registration), port=1)
    today = {rpc.name: rpc for rpc in rpcs("today", contract)}
    callers = {path: min(only) for path, only in ONLY_FOR.items()}
    async with host(service, link="grpc", allow_calls=tuple(f"{caller}>skew" for caller in callers.values())) as mesh:
        for rpc in rpcs(version, contract):
            within = mesh.channel("skew", caller=callers.get(rpc.path, "console"))
            channel = mesh.application("skew", key="mk_ana") if rpc.public else within
            sent = filled(rpc.request)
            answers = await call(channel, rpc, sent)
            arrived = recorded.arrived[rpc.name]
            assert rpc.request.FromString(arrived.SerializeToString()) == sent, f"{rpc.path} lost something of the request"
            assert len(answers) == (2 if rpc.streams_out else 1)
            expected = rpc.response.FromString(filled(today[rpc.name].response).SerializeToString())
            assert answers[0] == expected, f"{rpc.path} was answered otherwise"


class Answering(grpc.GenericRpcHandler):
    """A server of another version, of which only descriptors exist."""

    def __init__(self, methods: list[Rpc]) -> None:
        self._methods = {rpc.path: rpc for rpc in methods}
        self.arrived: dict[str, Any] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        rpc = self._methods.get(handler_call_details.method)
        if rpc is None:
            return None
        kind = f"{'stream' if rpc.streams_in else 'unary'}_{'stream' if rpc.streams_out else 'unary'}"
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        handler: grpc.RpcMethodHandler[Any, Any] = make(
            self._behaviour(rpc), request_deserializer=rpc.request.FromString, response_serializer=rpc.response.SerializeToString
        )
        return handler

    def _behaviour(self, rpc: Rpc) -> Callable[..., Any]:
        async def unary(request: Any, _context: object) -> Any:
            self.arrived[rpc.name] = [each async for each in request][-1] if rpc.streams_in else request
            return filled(rpc.response)

        async def streamed(request: Any, _context: object) -> AsyncIterator[Any]:
            yield await unary(request, _context)

        return streamed if rpc.streams_out else unary


@pytest.mark.parametrize("version", OTHERS)
@pytest.mark.parametrize("contract", CONTRACTS)
async def test_our_stubs_call_servers_of_other_versions(contract: str, version: Version) -> None:
    other = Answering(rpcs(version, contract))
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((other,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    channel = RemoteChannel("skew", f"127.0.0.1:{port}", Outbound("console"))
    try:
        stub = part(contract, "{}Stub")(channel)
        known = {rpc.name: rpc for rpc in rpcs(version, contract)}
        for rpc in rpcs("today", contract):
            if rpc.name not in known:
                continue  # a method that they do not have yet is UNIMPLEMENTED there: the test below
            sent = filled(ours(rpc.request))
            started = getattr(stub, rpc.name)(_sent(sent) if rpc.streams_in else sent, timeout=10)
            answer, *_ = await answers_of(started, rpc)
            theirs = known[rpc.name]
            assert other.arrived[rpc.name] == theirs.request.FromString(sent.SerializeToString())
            assert theirs.response.FromString(answer.SerializeToString()) == filled(theirs.response), (
                f"{rpc.path} lost something of the answer"
            )
    finally:
        await channel.close()
        await server.stop(None)


async def test_a_method_that_a_server_does_not_have_yet_is_unimplemented_and_nothing_worse() -> None:
    rpc = next(rpc for rpc in rpcs("today", CONTRACTS[0]) if not rpc.streams_in)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Answering([]),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    channel = RemoteChannel("skew", f"127.0.0.1:{port}", Outbound("console"))
    try:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, rpc, filled(rpc.request))
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    finally:
        await channel.close()
        await server.stop(None)
