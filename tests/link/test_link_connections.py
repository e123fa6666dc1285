"""The life of connections: addresses in turn, drain, age, loss, silence, and peers that do not speak the link."""

import asyncio
import time
from typing import Any

import grpc
import pytest

from llm_mesh.link.v1 import link_pb2
from llm_mesh_runtime.access import ServiceTokens
from llm_mesh_runtime.access.tokens import HEADER
from llm_mesh_runtime.links.mux import Name, connection, member, pool, wire
from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.links.remote import RemoteChannel
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.telemetry.metrics import Metrics
from tests.link.instances import TOKENS, ChangingName, Instance, channel_to, instances, until
from tests.link.peers import COUNT, SAY, SUM, TALK, settle


async def failed(awaitable: Any) -> Any:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await awaitable
    return from_rpc_error(raised.value)


async def test_calls_take_turns_over_the_addresses_of_a_name() -> None:
    one, two = Instance(), Instance()
    async with instances(one, two), channel_to(one.target, two.target) as channel:
        say = channel.unary_unary(SAY)
        await say(b"first")
        await until(lambda: len(channel.pool._ready) == 2)
        one.handlers.seen.clear()
        two.handlers.seen.clear()
        await asyncio.gather(*(_awaited(say(b"x")) for _ in range(20)))
        assert (len(one.handlers.seen), len(two.handlers.seen)) == (10, 10)


async def test_an_address_that_is_down_costs_no_call() -> None:
    one = Instance()
    async with instances(one), channel_to(one.target, "ipv4:127.0.0.1:1") as channel:
        say = channel.unary_unary(SAY)
        for _ in range(20):
            assert await say(b"x", timeout=5) == b"x"


async def test_a_drained_instance_finishes_its_calls_and_gets_no_new_ones() -> None:
    one, two = Instance(), Instance()
    async with instances(one, two), channel_to(one.target, two.target) as channel:
        say, count = channel.unary_unary(SAY), channel.unary_stream(COUNT)
        await say(b"first")
        await until(lambda: len(channel.pool._ready) == 2)
        one.handlers.go.clear()
        two.handlers.go.clear()
        one.handlers.answers = two.handlers.answers = [b"answer"]
        held = [count(b"held"), count(b"held")]
        await until(lambda: b"held" in one.handlers.seen and b"held" in two.handlers.seen)
        draining = asyncio.ensure_future(one.stop(30))
        await until(lambda: len(channel.pool._ready) == 1)
        two.handlers.go.set()
        for _ in range(10):
            assert await say(b"new", timeout=5) == b"new"
        assert b"new" not in one.handlers.seen
        assert not draining.done()
        one.handlers.go.set()
        for call in held:
            assert [message async for message in call] == [b"answer"]
        await draining


async def test_a_connection_that_grows_old_is_succeeded_before_it_ends_and_loses_no_call() -> None:
    one = Instance(max_age=0.3)  # asks for a successor at half of it
    async with instances(one), channel_to(one.target) as channel:
        say, count = channel.unary_unary(SAY), channel.unary_stream(COUNT)
        assert await say(b"first") == b"first"
        first = channel.pool._ready[0]
        one.handlers.go.clear()
        one.handlers.answers = [b"late"]
        held = count(b"held")
        await until(lambda: b"held" in one.handlers.seen)
        one.handlers.go.set()
        one.handlers.go = asyncio.Event()
        one.handlers.go.set()
        async with asyncio.timeout(10):
            while channel.pool._ready[0] is first:
                assert await say(b"x", timeout=5) == b"x"
        assert await say(b"x", timeout=5) == b"x"
        assert [message async for message in held] == [b"late"]


async def test_a_successor_takes_all_calls_from_its_predecessor() -> None:
    one = Instance()
    async with instances(one), channel_to(one.target) as channel:
        say = channel.unary_unary(SAY)
        assert await say(b"x", timeout=5) == b"x"
        first: Any = channel.pool._ready[0]
        first.leaving(True)
        await until(lambda: any(each is not first for each in channel.pool._ready))
        assert first not in channel.pool._ready
        assert await say(b"x", timeout=5) == b"x"


async def test_an_address_of_plain_grpc_that_leaves_the_name_gets_no_more_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "REFRESH", 0.02)
    old, new = Instance(speaks=False), Instance()
    name = ChangingName()
    name.current[:] = [old.target]
    async with instances(old, new), channel_to(name=name) as channel:
        say = channel.unary_unary(SAY)
        assert await say(b"x", timeout=5) == b"x"
        name.current[:] = [new.target]
        await until(lambda: new.target in channel.pool.members and channel.pool.members[new.target].state is member.AddressState.READY)
        assert len(channel.pool._ready) == 1
        assert [await say(b"new", timeout=5) for _ in range(4)] == [b"new"] * 4
        assert b"new" not in old.handlers.seen


async def test_a_lost_connection_ends_its_calls_cancels_their_handlers_and_is_made_anew() -> None:
    one = Instance()
    async with instances(one), channel_to(one.target) as channel:
        one.handlers.go.clear()
        call = channel.unary_unary(SAY)(b"held", timeout=30)
        await until(lambda: one.handlers.seen)
        await one.stop()
        error = await failed(call)
        assert (error.code, error.reason_name, error.metadata["peer"]) == (grpc.StatusCode.UNAVAILABLE, "PEER_UNAVAILABLE", "echo")
        await until(lambda: one.handlers.cancelled == 1)
        again = await Instance(f"127.0.0.1:{one.port}").start()
        assert await channel.unary_unary(SAY)(b"again", timeout=20, wait_for_ready=True) == b"again"
        await again.stop()


async def test_while_nobody_answers_calls_fail_at_once_and_patient_ones_keep_their_deadline() -> None:
    async with channel_to("ipv4:127.0.0.1:1") as channel:
        say = channel.unary_unary(SAY)
        assert (await failed(say(b"x", timeout=20))).reason_name == "PEER_UNAVAILABLE"
        assert (await failed(say(b"x", timeout=20))).reason_name == "PEER_UNAVAILABLE"
        assert (await failed(say(b"x", timeout=0.2, wait_for_ready=True))).code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert channel.pool.waiting == {}


async def test_a_caller_that_waits_for_a_connection_may_leave() -> None:
    async with channel_to("ipv4:127.0.0.1:1") as channel:
        call = channel.unary_unary(SAY)(b"x", wait_for_ready=True)
        task = asyncio.ensure_future(_awaited(call))
        await settle()
        assert len(channel.pool.waiting) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert channel.pool.waiting == {}


@pytest.mark.parametrize("kind", ["unary", "answers", "requests", "both"])
async def test_a_peer_that_does_not_speak_the_link_is_called_by_plain_grpc(kind: str) -> None:
    old = Instance(speaks=False)
    old.handlers.answers = [b"1", b"2"]
    metrics = Metrics()
    async with instances(old), channel_to(old.target, metrics=metrics) as channel:
        for _ in range(2):  # the first call waits for the attempt, the second does not
            match kind:
                case "unary":
                    assert await channel.unary_unary(SAY)(b"x", timeout=5) == b"x"
                case "answers":
                    assert [each async for each in channel.unary_stream(COUNT)(b"x", timeout=5)] == [b"1", b"2"]
                case "requests":
                    assert await channel.stream_unary(SUM)(iter([b"1", b"2"]), timeout=5) == b"sum"
                case _:
                    talk = channel.stream_stream(TALK)(timeout=5)
                    await talk.write(b"1")
                    assert await talk.read() == b"1"
                    await talk.done_writing()
                    assert await talk.read() is grpc.aio.EOF
        assert 'llm_mesh_link_addresses{llm_mesh_peer="echo",llm_mesh_service="console",state="plain"} 1.0' in metrics.render().decode()


async def test_over_plain_grpc_leaving_a_call_cancels_its_handler() -> None:
    old = Instance(speaks=False)
    async with instances(old), channel_to(old.target) as channel:
        old.handlers.go.clear()
        call = channel.unary_unary(SAY)(b"x")
        await until(lambda: old.handlers.seen)
        call.cancel()
        await until(lambda: old.handlers.cancelled == 1)


async def test_a_peer_that_has_learnt_the_link_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member, "PLAIN_FOR", 0.05)
    old = await Instance(speaks=False).start()
    async with channel_to(old.target) as channel:
        assert await channel.unary_unary(SAY)(b"x", timeout=5) == b"x"
        await old.stop()
        async with instances(Instance(f"127.0.0.1:{old.port}")):
            await until(lambda: next(iter(channel.pool.members.values())).state is member.AddressState.READY)
            assert await channel.unary_unary(SAY)(b"x", timeout=5) == b"x"


async def test_a_peer_that_says_nothing_any_more_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "QUIET", 0.05)
    monkeypatch.setattr(connection, "PATIENCE", 0.2)
    one = Instance()
    async with instances(one), channel_to(one.target) as channel:
        assert await channel.unary_unary(SAY)(b"x", timeout=5) == b"x"
        one.handlers.go.clear()
        call = channel.unary_unary(SAY)(b"held", timeout=30)
        await until(lambda: b"held" in one.handlers.seen)
        assert one.link is not None
        for incoming in one.link._connections:
            incoming.received = one.handlers.seen.append  # type: ignore[assignment, method-assign]  # it reads, and does not answer
        assert (await failed(call)).reason_name == "PEER_UNAVAILABLE"


async def test_a_peer_that_answers_pings_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "QUIET", 0.02)
    monkeypatch.setattr(connection, "PATIENCE", 0.2)
    one = Instance()
    async with instances(one), channel_to(one.target) as channel:
        one.handlers.go.clear()
        call = channel.unary_unary(SAY)(b"held", timeout=0.8)
        assert (await failed(call)).code is grpc.StatusCode.DEADLINE_EXCEEDED
        one.handlers.go.set()
        before = channel.pool._ready
        assert await channel.unary_unary(SAY)(b"x", timeout=5) == b"x"
        assert channel.pool._ready == before


async def test_more_calls_than_the_peer_takes_wait_for_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_CALLS", 3)
    one = Instance()
    async with instances(one), channel_to(one.target) as channel:
        one.handlers.go.clear()
        calls = [asyncio.ensure_future(_awaited(channel.unary_unary(SAY)(b"%d" % number, timeout=20))) for number in range(10)]
        await until(lambda: len(one.handlers.seen) == 3)
        assert len(channel.pool.waiting) == 7
        one.handlers.go.set()
        assert await asyncio.gather(*calls) == [b"%d" % number for number in range(10)]


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer mk_admin"),)])
async def test_who_proves_no_service_does_not_connect(metadata: tuple[tuple[str, str], ...]) -> None:
    one = Instance()
    async with instances(one):
        plain = RemoteChannel("echo", one.target, Outbound("", identity=lambda: metadata))
        call: Any = plain.stream_stream(wire.PATH)()
        hello = link_pb2.Frame(kind=link_pb2.FRAME_KIND_HELLO, hello=wire.hello())

        async def greeted() -> None:
            await call.write(link_pb2.ConnectRequest(frames=[hello]).SerializeToString())
            await call.read()

        assert (await failed(greeted())).reason_name == "MESH_ONLY"
        await plain.close()


async def test_a_refused_service_hears_why_and_asks_no_plain_grpc_instead() -> None:
    one = Instance()
    async with instances(one), channel_to(one.target, tokens=ServiceTokens(b"another secret of more than 32 bytes")) as channel:
        assert (await failed(channel.unary_unary(SAY)(b"x", timeout=5))).code is grpc.StatusCode.UNAVAILABLE
        assert one.handlers.seen == []


class _Metadata:
    def __init__(self, token: str) -> None:
        self._token = token

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ((HEADER, self._token),)


async def test_a_name_that_gains_and_loses_addresses_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "REFRESH", 0.02)
    one, two = Instance(), Instance()
    name = ChangingName()
    name.current[:] = [one.target]
    async with instances(one, two), channel_to(name=name) as channel:
        say = channel.unary_unary(SAY)
        assert await say(b"x", timeout=5) == b"x"
        assert two.handlers.seen == []
        name.current[:] = [one.target, two.target]
        await until(lambda: len(channel.pool._ready) == 2)
        one.handlers.go.clear()
        held = [say(b"held", timeout=20), say(b"held", timeout=20)]
        await until(lambda: b"held" in one.handlers.seen)
        name.current[:] = [two.target]
        await until(lambda: len(channel.pool._ready) == 1)
        for _ in range(5):
            assert await say(b"new", timeout=5) == b"new"
        assert b"new" not in one.handlers.seen
        one.handlers.go.set()
        assert [await call for call in held] == [b"held", b"held"]


async def test_a_name_that_cannot_be_resolved_is_a_peer_that_does_not_answer() -> None:
    name = ChangingName()
    async with channel_to(name=name) as channel:
        say = channel.unary_unary(SAY)
        assert (await failed(say(b"x", timeout=20))).reason_name == "PEER_UNAVAILABLE"
        one = Instance()
        async with instances(one):
            name.current[:] = [one.target]
            assert await say(b"x", timeout=20, wait_for_ready=True) == b"x"


async def test_a_connection_takes_calls_no_longer_than_its_token_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Instance()
    async with instances(one), channel_to(one.target) as channel:
        await channel.unary_unary(SAY)(b"x", timeout=5)
        token = TOKENS.token("console", "echo")
        assert one.link is not None
        assert 60 < one.link._age(_Metadata(token)) <= 270  # type: ignore[arg-type]  # as much as it asks of a transport
        later = time.time() + 200
        monkeypatch.setattr(time, "time", lambda: later)
        assert 0 < one.link._age(_Metadata(token)) <= 100  # type: ignore[arg-type]
        assert one.link._age(_Metadata("v1.console.echo.1.forged")) == 0  # type: ignore[arg-type]
        assert TOKENS.expiry_of(token) == int(token.split(".")[3])
        assert TOKENS.expiry_of("v1.console.echo.1.forged") == 0


@pytest.mark.parametrize(
    ("target", "fixed"),
    [
        ("unix:/run/policy.sock", ("unix:/run/policy.sock",)),
        ("dns:///127.0.0.1:50054", ("ipv4:127.0.0.1:50054",)),
        ("dns:///[::1]:50054", ("ipv6:[::1]:50054",)),
        ("ipv4:10.0.0.1:1,10.0.0.2:1", ("ipv4:10.0.0.1:1", "ipv4:10.0.0.2:1")),
    ],
)
def test_targets_with_addresses_are_not_resolved(target: str, fixed: tuple[str, ...]) -> None:
    assert Name.read(target).fixed == fixed


@pytest.mark.parametrize("target", ["dns:///policy:50054", "dns://resolver/policy:50054", "policy:50054", "dns:policy:50054"])
def test_targets_with_names_are_resolved(target: str) -> None:
    assert (Name.read(target).host, Name.read(target).port) == ("policy", 50054)


async def test_a_name_has_all_of_its_addresses() -> None:
    assert set(await Name.read("dns:///localhost:7").addresses()) <= {"ipv4:127.0.0.1:7", "ipv6:[::1]:7"}


async def _awaited(call: Any) -> Any:
    return await call
