"""Credit, pieces and turns: one call never holds another up, and memory stays bounded."""

import asyncio

import grpc
import pytest

from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.links.mux import wire
from llm_mesh_runtime.links.mux.called import ClientCall
from llm_mesh_runtime.links.mux.flow import Inflow
from llm_mesh_runtime.links.mux.room import ReceiveBudget
from tests.link.peers import COUNT, SAY, SUM, TALK, Callee, Caller, Handlers, batches, drained, frame, greeting, joined, opened, settle

MB = 1024 * 1024


async def test_a_small_call_goes_before_all_but_one_batch_of_a_long_one() -> None:
    caller = Caller()
    caller.call(SAY, bytes(2 * MB))
    caller.connection.calls[1].outflow.grant(4 * MB)  # type: ignore[union-attr]  # the callee has room for all of it
    outgoing = iter(batches(caller.connection.outbox))
    next(outgoing)
    caller.call(SAY, b"small")
    following = next(outgoing)
    assert [(each.call, each.message) for each in following.frames if each.call == 2] == [(2, b"small")]  # type: ignore[attr-defined]
    assert following.frames[0].call == 2  # type: ignore[attr-defined]
    sizes = [batch.ByteSize() for batch in (following, *outgoing)]
    assert max(sizes) < wire.BATCH + wire.PIECE + 1024


async def test_long_messages_take_turns_piece_by_piece() -> None:
    caller = Caller()
    for call in (caller.call(SAY, bytes(MB)), caller.call(SAY, bytes(MB))):
        call.outflow.grant(2 * MB)  # type: ignore[union-attr]
    pieces = [each.call for each in caller.heard() if each.kind == wire.MESSAGE and each.message]
    assert pieces[:10] == [1, 2] * 5


async def test_a_long_request_and_a_long_answer_arrive_whole() -> None:
    caller, callee = Caller(), Callee(Handlers())
    callee.say(greeting())
    body = bytes(range(256)) * (12 * MB // 256)
    call = caller.call(SAY, body)
    await joined(caller, callee, turns=1000)
    assert (call.code, call.response) == (grpc.StatusCode.OK, body)
    assert not callee.incoming.calls
    assert not caller.connection.calls


async def test_a_writer_that_ignores_the_credit_ends_the_connection() -> None:
    handlers = Handlers()
    handlers.go.clear()
    callee = Callee(handlers)
    callee.say(greeting(), opened(1, TALK))
    callee.say(frame(wire.MESSAGE, 1, message=bytes(wire.PIECE)))
    with pytest.raises(MeshError, match="no credit"):
        callee.say(frame(wire.MESSAGE, 1, message=b"x"))
    callee.incoming.lost()
    await settle()
    assert callee.work.running == set()


async def test_empty_messages_are_not_free() -> None:
    handlers = Handlers()
    handlers.go.clear()
    callee = Callee(handlers)
    callee.say(greeting(), opened(1, TALK))
    empty = [frame(wire.MESSAGE, 1, message=b"")] * (wire.WINDOW // wire.OVERHEAD)
    callee.say(*empty)
    with pytest.raises(MeshError, match="no credit"):
        callee.say(*empty[:1])
    callee.incoming.lost()
    await settle()


async def test_credit_comes_back_as_messages_are_read() -> None:
    handlers, callee = Handlers(), None
    callee = Callee(handlers)
    callee.say(greeting(), opened(1, SUM))
    credit, sent = wire.WINDOW, 0
    for _ in range(200):
        while credit > 0:
            callee.say(frame(wire.MESSAGE, 1, message=bytes(1000)))
            credit -= 1000 + wire.OVERHEAD
            sent += 1
        await settle(sent + 10)
        credit += sum(each.credit for each in callee.heard() if each.kind == wire.CREDIT)
    assert len(handlers.seen) == sent > 5000
    callee.say(frame(wire.MESSAGE, 1, last=True))
    await settle()
    assert [each.message for each in callee.heard()] == [b"sum"]


async def test_a_reader_that_stops_holds_a_window_and_nobody_else() -> None:
    handlers = Handlers()
    handlers.answers = [bytes(1000)] * 5000
    callee = Callee(handlers)
    callee.say(greeting(), opened(1, COUNT, b""), opened(2, SAY, b"quick"))
    await settle(200)
    heard = callee.heard()
    slow = sum(len(each.message) + wire.OVERHEAD for each in heard if each.call == 1)
    assert wire.WINDOW <= slow < wire.WINDOW + 2 * (1000 + wire.OVERHEAD)
    assert [each.message for each in heard if each.call == 2] == [b"quick"]
    assert drained(callee.incoming.outbox) == []
    callee.say(frame(wire.CANCEL, 1))
    await settle()
    assert (callee.incoming.calls, callee.work.running, handlers.cancelled) == ({}, set(), 1)


async def test_long_messages_wait_for_room_in_order_and_the_longest_gets_through() -> None:
    room, admitted = ReceiveBudget(100), list[str]()

    class Message:
        def __init__(self, name: str) -> None:
            self.name = name

        def admit(self, _amount: int) -> None:
            admitted.append(self.name)

    a, b, c, d = (Message(name) for name in "abcd")
    for message, amount in ((a, 60), (b, 60), (c, 10), (d, 500)):
        room.want(message, amount)
    assert (admitted, room.taken) == (["a"], 60)
    room.left(a)
    assert (admitted, room.taken) == (["a", "b", "c"], 70)
    room.left(b)
    assert admitted == ["a", "b", "c"]
    room.left(c)
    assert (admitted, room.taken) == (["a", "b", "c", "d"], 500)
    room.left(d)
    assert room.taken == 0


async def test_many_long_requests_at_once_hold_no_more_than_there_is_room_for() -> None:
    callee = Callee(Handlers())
    size = 32 * MB
    callee.say(greeting(), *(opened(number, SAY) for number in range(1, 11)))
    callee.say(*(frame(wire.MESSAGE, number, message=b"x", more=True, size=size) for number in range(1, 11)))
    granted = {each.call: each.credit for each in callee.heard() if each.kind == wire.CREDIT}
    assert set(granted) == {1, 2}
    callee.say(frame(wire.CANCEL, 1))
    assert {each.call for each in callee.heard() if each.kind == wire.CREDIT} == {3}
    callee.incoming.lost()


async def test_a_message_over_the_limit_ends_its_call_before_it_is_sent() -> None:
    callee = Callee(Handlers())
    callee.say(greeting(), opened(1, SAY), opened(2, SAY, b"other"))
    callee.say(frame(wire.MESSAGE, 1, message=b"x", more=True, size=wire.LARGEST + 1))
    await settle()
    ends = {each.call: each for each in callee.heard() if each.kind == wire.END}
    assert ends[1].code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert ends[2].message == b"other"


async def test_a_call_that_a_leaving_callee_did_not_begin_is_made_once_more_elsewhere() -> None:
    class Elsewhere:
        def __init__(self) -> None:
            self.waiting: dict[ClientCall, None] = {}
            self.given: list[ClientCall] = []

        def freed(self) -> None:
            raise AssertionError

        def again(self, call: ClientCall) -> None:
            self.given.append(call)

    caller, elsewhere, refused = Caller(), Elsewhere(), {"code": 14, "details": "goes away", "refused": True}
    caller.connection.attach(elsewhere)
    call, long, stream = caller.call(SAY, b"x"), caller.call(SAY, bytes(MB)), caller.call(SUM)
    caller.say(*(frame(wire.END, number, **refused) for number in (1, 2, 3)))
    assert elsewhere.given == [call, long]
    assert (call.code, long.code, stream.code) == (None, None, grpc.StatusCode.UNAVAILABLE)
    caller.connection.place(call)
    caller.say(frame(wire.END, 4, **refused))
    assert call.code is grpc.StatusCode.UNAVAILABLE
    assert len(elsewhere.given) == 2


async def test_a_callee_that_goes_away_begins_nothing_and_says_so() -> None:
    handlers = Handlers()
    callee = Callee(handlers)
    callee.say(greeting(), opened(1, SUM))
    callee.incoming.go_away(0)
    callee.say(opened(2, SAY, b"x"))
    await settle()
    ends = [each for each in callee.heard() if each.kind == wire.END]
    assert [(each.call, each.refused) for each in ends] == [(2, True)]
    assert handlers.seen == []
    assert not callee.incoming.outbox.closed
    callee.say(frame(wire.MESSAGE, 1, last=True))
    await settle()
    assert callee.incoming.outbox.closed


async def test_a_waiting_reader_ends_with_its_call() -> None:
    inflow = Inflow()
    reading = asyncio.ensure_future(inflow.read())
    await settle()
    inflow.close()
    assert await reading is None
