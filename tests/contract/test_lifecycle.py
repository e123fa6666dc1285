"""A host's life: readiness, drain, refusal to start, and what the listeners answer meanwhile."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from llm_mesh_runtime.errors import store_unavailable
from llm_mesh_runtime.host import StartError
from llm_mesh_runtime.links import LinkError
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.service import HttpApp, Service, Servicers
from llm_mesh_runtime.testing import Link, NoSettings, host
from tests.contract.conftest import Linked
from tests.contract.echo import CONTRACT, Echo, generated, messages, service, stub

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Store:
    """A store that can go away and come back."""

    def __init__(self) -> None:
        self.there = True

    async def ready(self) -> None:
        if not self.there:
            raise store_unavailable()


def with_store(echo: Echo, store: Store, log: list[str] | None = None, name: str = "echo") -> Service:
    said = log if log is not None else []

    async def start() -> None:
        said.append(f"start {name}")

    async def close() -> None:
        said.append(f"close {name}")

    registration = (generated()[1].add_EchoServiceServicer_to_server, echo)
    return Service(name, (CONTRACT,), NoSettings, lambda _s, _l: Servicers(registration, ready=store.ready, start=start, close=close))


def health(mesh: Any, name: str = "echo") -> Any:
    return health_pb2_grpc.HealthStub(mesh.application(name))


async def status(mesh: Any, name: str = "") -> int:
    answer: int = (await health(mesh).Check(health_pb2.HealthCheckRequest(service=name))).status
    return answer


async def test_health_needs_no_key_and_knows_contracts_and_the_whole(linked: Linked) -> None:
    assert await status(linked.mesh) == SERVING
    assert await status(linked.mesh, CONTRACT) == SERVING
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await status(linked.mesh, "nothing")
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND
    listed = await health(linked.mesh).List(health_pb2.HealthListRequest())
    assert set(listed.statuses) >= {"", CONTRACT}


async def test_a_store_that_goes_away_makes_its_service_not_serving_and_back_by_itself(link: Link, certificates: Any) -> None:
    store = Store()
    async with host(with_store(Echo(), store), link=link, tls=certificates) as mesh:
        watch = health(mesh).Watch(health_pb2.HealthCheckRequest(service=CONTRACT))
        async with asyncio.timeout(10):
            assert (await watch.read()).status == SERVING
            store.there = False
            assert (await watch.read()).status == NOT_SERVING
            store.there = True
            assert (await watch.read()).status == SERVING
        watch.cancel()


async def test_a_peer_that_is_down_does_not_make_a_service_not_serving(link: Link, certificates: Any) -> None:
    broken = Store()
    broken.there = False
    async with host(service(Echo()), with_store(Echo(), broken, name="adapter/far"), link=link, tls=certificates) as mesh:
        assert await status(mesh, CONTRACT) == SERVING
        far = next(host for name, host in mesh.hosts.items() if name == "adapter/far")
        assert not far.health.serving("adapter/far")


async def test_an_adapter_is_known_by_its_name(link: Link, certificates: Any) -> None:
    async with host(service(Echo(), "adapter/openai"), service(Echo()), link=link, tls=certificates) as mesh:
        stub_of = health_pb2_grpc.HealthStub(mesh.channel("adapter/openai"))
        answer = await stub_of.Check(health_pb2.HealthCheckRequest(service="adapter/openai"))
        assert answer.status == SERVING


async def test_when_a_host_drains_streams_finish_watches_end_and_new_calls_are_refused(link: Link, certificates: Any) -> None:
    echo, log = Echo(), list[str]()
    async with host(with_store(echo, Store(), log), link=link, tls=certificates) as mesh:
        application = stub(mesh.application("echo", key="mk_ana"))
        stream = application.Count(messages().CountRequest(number=1, behaviour="wait"))
        assert (await stream.read()).number == 0
        watch = stub(mesh.channel("echo")).WatchCount(messages().CountRequest(number=1, behaviour="stall"))
        assert (await watch.read()).number == 0
        draining = asyncio.ensure_future(mesh.hosts["echo"].stop())
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await watch.read()
        assert from_rpc_error(raised.value).reason_name == "DRAINING"
        assert not mesh.hosts["echo"].health.serving()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await application.Say(messages().SayRequest())
        assert from_rpc_error(raised.value).code is grpc.StatusCode.UNAVAILABLE
        assert not draining.done()
        echo.go.set()
        assert (await stream.read()).number == -1
        assert await stream.read() is grpc.aio.EOF
        await draining
        assert log == ["start echo", "close echo"]


async def test_a_stream_that_outlasts_the_grace_is_cancelled(link: Link, certificates: Any) -> None:
    echo = Echo()
    async with host(service(echo), link=link, tls=certificates, grace=timedelta(seconds=0.2)) as mesh:
        stream = stub(mesh.application("echo", key="mk_ana")).Count(messages().CountRequest(number=1, behaviour="stall"))
        assert (await stream.read()).number == 0
        async with asyncio.timeout(5):
            await mesh.hosts["echo"].stop()
            await echo.cancelled.wait()


async def test_a_start_that_fails_closes_what_was_begun_in_reverse_order() -> None:
    log: list[str] = []

    async def failing() -> None:
        raise store_unavailable("ledger")

    broken = Service("adapter/broken", (), NoSettings, lambda _s, _l: Servicers(start=failing))
    wanted = (with_store(Echo(), Store(), log), with_store(Echo(), Store(), log, "adapter/b"), broken)
    with pytest.raises(StartError, match="adapter/broken cannot start: STORE_UNAVAILABLE: the ledger does not answer"):
        async with host(*wanted):
            pass
    assert log == ["start echo", "start adapter/b", "close adapter/b", "close echo"]


async def test_a_taken_port_is_one_clear_line_and_starts_nothing() -> None:
    log: list[str] = []
    async with host(service(Echo())) as mesh:
        taken = f"127.0.0.1:{mesh.hosts['echo'].listeners['#public'].port}"
        with pytest.raises(StartError, match=f"cannot listen on {taken}"):
            async with host(with_store(Echo(), Store(), log), grpc=taken):
                pass
    assert log == ["close echo"]


async def test_a_peer_that_nobody_knows_is_told_at_the_start() -> None:
    with pytest.raises(LinkError, match="LLM_MESH_LINK_NOWHERE"):
        async with host(service(Echo(), next_name="nowhere")):
            pass


async def test_a_batched_link_to_nowhere_is_told_at_the_start() -> None:
    with pytest.raises(LinkError, match="the link to far: expected a host and a port"):
        async with host(service(Echo(), next_name="far"), links={"far": "mux+dns:///far"}):
            pass


@pytest.mark.parametrize("target", ["unix:/nonexistent/far.sock", "mux+unix:/nonexistent/far.sock"])
async def test_a_peer_that_does_not_answer_is_unavailable_and_named(target: str) -> None:
    async with host(service(Echo(), next_name="far"), links={"far": target}) as mesh:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub(mesh.links().channel("far")).Say(messages().SayRequest(), timeout=5)
        error = from_rpc_error(raised.value, peer="far")
        assert (error.reason_name, error.metadata["peer"]) == ("PEER_UNAVAILABLE", "far")


async def test_a_method_without_an_access_rule_refuses_to_register() -> None:
    registration = (generated()[1].add_OpenServiceServicer_to_server, generated()[1].OpenServiceServicer())
    careless = Service("careless", (), NoSettings, lambda _s, _l: Servicers(registration))
    with pytest.raises(StartError, match="OpenService/Say declares no access rule"):
        async with host(careless):
            pass


async def test_a_contract_that_is_declared_must_be_registered() -> None:
    with pytest.raises(StartError, match="registers no servicer"):
        async with host(Service("empty", (CONTRACT,), NoSettings, lambda _s, _l: Servicers())):
            pass


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_describes_the_contracts_and_itself(version: str) -> None:
    async with host(service(Echo())) as mesh:
        channel = mesh.application("echo")
        call: Any = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        listed = {each.name for each in (await call.read()).list_services_response.service}
        assert listed >= {CONTRACT, f"grpc.reflection.{version}.ServerReflection", "grpc.health.v1.Health"}
        for name in (CONTRACT, f"grpc.reflection.{version}.ServerReflection"):
            await call.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol=name))
            assert (await call.read()).file_descriptor_response.file_descriptor_proto
        await call.done_writing()


async def test_reflection_is_off_where_services_run_alone_unless_wanted() -> None:
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    for wanted in (None, True):
        async with host(service(Echo()), link="grpc", reflection=wanted) as mesh:
            stub_of: Any = reflection_pb2_grpc.ServerReflectionStub
            call = stub_of(mesh.application("echo")).ServerReflectionInfo(iter([request]))
            if wanted:
                assert (await call.read()).list_services_response.service
                call.cancel()
            else:
                with pytest.raises(grpc.aio.AioRpcError) as raised:
                    await call.read()
                assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_full_service_refuses_while_health_still_answers(link: Link, certificates: Any) -> None:
    echo = Echo()
    async with host(service(echo), link=link, tls=certificates, concurrency=2, queue=0) as mesh:
        caller = stub(mesh.channel("echo"))
        holding = [caller.Whisper(messages().SayRequest(behaviour="stall")) for _ in range(2)]
        async with asyncio.timeout(5):
            await echo.twice.wait()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await caller.Whisper(messages().SayRequest())
        error = from_rpc_error(raised.value)
        assert (error.code, error.reason_name) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert error.retry_after is not None
        watches = [health(mesh).Watch(health_pb2.HealthCheckRequest()) for _ in range(3)]
        for watch in watches:
            assert (await watch.read()).status == SERVING
        assert await status(mesh) == SERVING
        for call in (*holding, *watches):
            call.cancel()
        async with asyncio.timeout(5):
            await echo.cancelled.wait()
            while (await _whispered(caller)) != "OK":
                pass


async def _whispered(caller: Any) -> str:
    try:
        await caller.Whisper(messages().SayRequest())
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error).reason_name
    return "OK"


async def test_the_servers_own_deadline_ends_calls_that_came_without_one(link: Link, certificates: Any) -> None:
    echo, brief = Echo(), timedelta(seconds=0.1)
    async with host(service(echo), link=link, tls=certificates, unary_deadline=brief, stream_deadline=brief) as mesh:
        caller = stub(mesh.channel("echo"))
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await caller.Whisper(messages().SayRequest(behaviour="stall"))
        assert from_rpc_error(raised.value).reason_name == "DEADLINE_EXCEEDED"
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await caller.Count(messages().CountRequest(behaviour="stall")).read()
        assert from_rpc_error(raised.value).reason_name == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize(("of_app", "declared"), [("/console", ""), ("", "/console")])
async def test_http_applications_share_an_address_by_prefix(of_app: str, declared: str) -> None:
    def app(name: str) -> Any:
        async def asgi(scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(name)).encode())]})
            await send({"type": "http.response.body", "body": name.encode()})

        return asgi

    edge = Service("edge", (), NoSettings, lambda _s, _l: Servicers(http=HttpApp(app("edge"))))
    built = Servicers(http=HttpApp(app("console"), prefix=of_app))
    console = Service("console", (), NoSettings, lambda _s, _l: built, http_prefix=declared)
    async with host(edge, console) as mesh:
        address = mesh.http("edge")
        assert await got(address, "/") == "edge"
        assert await got(address, "/console/x") == "console"
        assert await got(address, "/consoles") == "edge"


async def got(address: str, path: str) -> str:
    """The body that plain HTTP/1.1 brings."""
    name, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.partition(b"\r\n\r\n")[2].decode()
