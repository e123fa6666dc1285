"""Each rule of the batched link has a test that breaks it. `tests/proofs` breaks them at random."""

from typing import Any

import pytest

from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.links.mux import wire
from tests.link.peers import SAY, SUM, TALK, Callee, Caller, Handlers, frame, greeting, opened, settle

BROKEN_THERE: dict[str, list[Any]] = {
    "the first frame is HELLO": [opened(1, SAY, b"x")],
    "HELLO comes once": [greeting(), greeting()],
    "HELLO has limits that allow no call": [greeting(window=0)],
    "the numbers of calls rise": [greeting(), opened(1, SUM), opened(1, SUM)],
    "a call begins with OPEN": [greeting(), frame(wire.MESSAGE, 1, message=b"x")],
    "frames of calls name their call": [greeting(), frame(wire.CANCEL)],
    "credit is positive": [greeting(), opened(1, TALK), frame(wire.CREDIT, 1, credit=2**31)],
    "no message follows the last one": [greeting(), opened(1, SUM, last=True), frame(wire.MESSAGE, 1, message=b"x")],
    "a unary call has a request": [greeting(), opened(1, SAY, last=True)],
    "metadata are pairs": [greeting(), opened(1, SAY, b"x", metadata=[b"a"])],
    "metadata are ASCII": [greeting(), opened(1, SAY, b"x", metadata=[b"a", b"\xff"])],
    "the pieces of a message are not empty": [
        greeting(),
        opened(1, SUM),
        frame(wire.MESSAGE, 1, message=b"x", more=True, size=9),
        frame(wire.MESSAGE, 1, message=b"", more=True),
    ],
    "the pieces of a message are as long as it": [
        greeting(),
        opened(1, SUM),
        frame(wire.MESSAGE, 1, message=b"x", more=True, size=9),
        frame(wire.MESSAGE, 1, message=b"x"),
    ],
    "the first frame is HELL": [frame(wire.PING, ping=1)],
    "a piece is no longer than HELLO": [greeting(), opened(1, SUM), frame(wire.MESSAGE, 1, message=bytes(wire.PIECE + 1))],
    "a piece is no longer than HELLO allows": [greeting(), opened(1, SAY, bytes(wire.PIECE + 1))],
}


@pytest.mark.parametrize("rule", BROKEN_THERE)
async def test_a_callee_names_the_rule_that_is_broken(rule: str) -> None:
    callee = Callee(Handlers())
    with pytest.raises(MeshError, match=rule) as raised:
        callee.say(*BROKEN_THERE[rule])
    assert raised.value.reason_name == "PROTOCOL_VIOLATION"
    callee.incoming.lost()
    await settle()
    assert not callee.work.running


async def test_a_version_that_is_none_is_told_which_there_is() -> None:
    with pytest.raises(MeshError) as raised:
        Callee(Handlers()).say(greeting(version=0))
    assert (raised.value.reason_name, raised.value.metadata) == ("UNSUPPORTED_VERSION", {"version": "1"})


async def test_a_later_version_is_spoken_with_as_this_one() -> None:
    callee = Callee(Handlers())
    callee.say(greeting(version=7), opened(1, SAY, b"x"))
    await settle()
    assert [each.kind for each in callee.heard()] == [wire.HELLO, wire.END]


async def test_a_caller_that_opens_calls_without_reading_ends_is_ended() -> None:
    callee = Callee(Handlers())
    callee.say(greeting())
    allowed = 2 * wire.MAX_CALLS
    callee.say(*(opened(number, "/nothing") for number in range(1, allowed + 1)))
    with pytest.raises(MeshError, match="no more calls at once"):
        callee.say(opened(allowed + 1, "/nothing"))


async def test_pings_that_nobody_reads_the_answers_of_are_one() -> None:
    callee = Callee(Handlers())
    callee.say(greeting(), *(frame(wire.PING, ping=number) for number in range(1000)))
    assert [each.ping for each in callee.heard() if each.kind == wire.PONG] == [999]


async def test_frames_of_calls_that_have_ended_mean_nothing() -> None:
    callee, caller = Callee(Handlers()), Caller()
    callee.say(greeting(), opened(1, SAY, b"x"))
    await settle()
    callee.say(frame(wire.CANCEL, 1), frame(wire.CREDIT, 1, credit=5), frame(wire.MESSAGE, 1, message=b"x"))
    call = caller.call(SAY, b"x")
    call.cancel()
    caller.say(frame(wire.MESSAGE, 1, message=b"x"), frame(wire.END, 1))
    with pytest.raises(MeshError, match="only the caller opens calls"):
        caller.say(frame(wire.END, 2))
