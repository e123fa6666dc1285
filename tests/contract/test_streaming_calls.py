"""Streams in all three directions, over every link."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest

from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.pipeline import methods_of
from llm_mesh_runtime.pipeline.bodies import MessageCodec
from llm_mesh_runtime.pipeline.transport import MAX_MESSAGE
from tests.contract.conftest import Linked
from tests.contract.echo import CONTRACT, Echo, generated, messages


def count(number: int = 0, **fields: Any) -> Any:
    return messages().CountRequest(number=number, **fields)


async def numbers(answers: Any) -> list[int]:
    return [answer.number async for answer in answers]


async def collected(answers: Any, seen: list[int]) -> None:
    async for answer in answers:
        seen.append(answer.number)  # noqa: PERF401 (what came before an error is the point)


async def happened(event: asyncio.Event) -> None:
    async with asyncio.timeout(5):
        await event.wait()


async def left(linked: Linked) -> None:
    """The handler has heard that whoever wrote to it is gone.

    gRPC says so twice, as the end of the requests and as a cancellation, and promises no order: a handler may end well in between.
    """
    await happened(linked.echo.ended if linked.mesh.link in {"grpc", "tls"} else linked.echo.cancelled)


async def test_answers_come_in_order(linked: Linked) -> None:
    assert await numbers(linked.stub.Count(count(1000))) == list(range(1000))


async def test_answers_can_be_read_one_by_one(linked: Linked) -> None:
    call = linked.stub.Count(count(2))
    assert [(await call.read()).number, (await call.read()).number] == [0, 1]
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_an_empty_stream_ends_well(linked: Linked) -> None:
    assert await numbers(linked.stub.Count(count(0))) == []


@pytest.mark.parametrize(("behaviour", "code"), [("crash", grpc.StatusCode.INTERNAL), ("refuse", grpc.StatusCode.INVALID_ARGUMENT)])
async def test_what_came_before_an_error_arrives_before_it(linked: Linked, behaviour: str, code: grpc.StatusCode) -> None:
    call = linked.stub.Count(count(3, behaviour=behaviour))
    seen: list[int] = []
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await collected(call, seen)
    assert seen == [0, 1, 2]
    assert raised.value.code() is code
    assert "secret" not in str(raised.value)
    assert from_rpc_error(raised.value).reason_name in {"INTERNAL", "INVALID_FIELD"}


async def test_cancelling_a_stream_cancels_its_handler(linked: Linked) -> None:
    call = linked.stub.Count(count(1, behaviour="stall"))
    assert (await call.read()).number == 0
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.read()
    await happened(linked.echo.cancelled)


async def test_leaving_a_stream_cancels_its_handler(linked: Linked) -> None:
    async def first() -> int:
        async for answer in linked.stub.Count(count(1, behaviour="stall")):
            return int(answer.number)
        return -1

    assert await first() == 0
    gc.collect()
    await happened(linked.echo.cancelled)


async def test_cancelling_the_reading_task_cancels_the_handler(linked: Linked) -> None:
    task = asyncio.ensure_future(numbers(linked.stub.Count(count(1, behaviour="stall"))))
    await happened(linked.echo.started)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await happened(linked.echo.cancelled)


async def test_the_deadline_ends_a_stream(linked: Linked) -> None:
    for deadline in (0.1, 1.0, 10.0):  # on a machine that is busy it may pass before the handler begins
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await numbers(linked.stub.Count(count(1, behaviour="stall"), timeout=deadline))
        assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        if linked.echo.started.is_set():
            break
    await happened(linked.echo.cancelled)


async def test_a_producer_waits_while_its_reader_is_slow(linked: Linked) -> None:
    call = linked.stub.Count(count(1000, body=bytes(64 * 1024)))
    assert (await call.read()).number == 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await linked.echo.flooded.wait()
    assert [(await call.read()).number for _ in range(999)] == list(range(1, 1000))
    assert await call.read() is grpc.aio.EOF


async def test_an_answer_over_the_limit_ends_the_stream_with_its_reason(linked: Linked) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await numbers(linked.stub.Talk(iter([count(1, body=bytes(MAX_MESSAGE))]), timeout=20))
    assert from_rpc_error(raised.value).reason_name == "MESSAGE_TOO_LARGE"


async def test_requests_come_from_an_iterator(linked: Linked) -> None:
    async def asynchronous() -> AsyncIterator[Any]:
        for number in range(100):
            yield count(number)

    def synchronous() -> Iterator[Any]:
        yield from map(count, range(100))

    assert (await linked.stub.Sum(asynchronous())).number == 4950
    assert (await linked.stub.Sum(synchronous())).number == 4950


async def test_requests_are_written_one_by_one(linked: Linked) -> None:
    call = linked.stub.Sum()
    for number in range(10):
        await call.write(count(number))
    await call.done_writing()
    await call.done_writing()
    assert (await call).number == 45


async def test_nothing_can_be_written_after_done_writing(linked: Linked) -> None:
    call = linked.stub.Sum()
    await call.write(count(3))
    await call.done_writing()
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(count(1))
    assert (await call).number == 3


async def test_iterator_and_writes_do_not_mix(linked: Linked) -> None:
    call = linked.stub.Sum(iter([count(1)]))
    with pytest.raises(grpc.aio.UsageError):
        await call.write(count(1))
    with pytest.raises(grpc.aio.UsageError):
        await call.done_writing()
    assert (await call).number == 1


async def test_a_handler_may_answer_before_the_requests_end(linked: Linked) -> None:
    async def endless() -> AsyncIterator[Any]:
        yield count(5)
        yield count(behaviour="stop")
        await asyncio.Event().wait()

    assert (await linked.stub.Sum(endless(), timeout=5)).number == 5


async def test_an_iterator_that_fails_cancels_the_call(linked: Linked) -> None:
    async def failing() -> AsyncIterator[Any]:
        yield count(1)
        await linked.echo.started.wait()
        raise LookupError

    with pytest.raises(asyncio.CancelledError):
        await linked.stub.Sum(failing())
    await left(linked)


async def test_a_writer_waits_while_the_handler_is_slow(linked: Linked) -> None:
    call = linked.stub.Sum(timeout=20)
    await call.write(count(behaviour="stall"))

    async def write_all() -> None:
        for _ in range(1000):
            await call.write(count(1, body=bytes(64 * 1024)))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await write_all()
    assert linked.echo.calls == 1


async def test_both_directions_take_turns(linked: Linked) -> None:
    call = linked.stub.Talk()
    for number in range(50):
        await call.write(count(number))
        assert (await call.read()).number == number
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_both_directions_run_at_once(linked: Linked) -> None:
    async def requests() -> AsyncIterator[Any]:
        for number in range(500):
            yield count(number, body=bytes(1024))

    assert await numbers(linked.stub.Talk(requests())) == list(range(500))


async def test_a_crash_between_messages_ends_the_talk(linked: Linked) -> None:
    call = linked.stub.Talk()
    await call.write(count(1))
    assert (await call.read()).number == 1
    await call.write(count(behaviour="crash"))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call.read()
    assert raised.value.code() is grpc.StatusCode.INTERNAL
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(count(2))


async def test_dropping_a_talk_cancels_its_handler(linked: Linked) -> None:
    call = linked.stub.Talk()
    await call.write(count(1))
    assert (await call.read()).number == 1
    del call
    gc.collect()
    await left(linked)


async def test_a_cancellation_in_the_turn_of_the_end_of_the_requests_comes_first() -> None:
    async def ending() -> AsyncIterator[bytes]:
        yield count(1).SerializeToString()
        asyncio.get_running_loop().call_soon(handler.cancel)

    [method] = [each for each in methods_of([(generated()[1].add_EchoServiceServicer_to_server, Echo())]) if each.name == "Sum"]
    handler = asyncio.ensure_future(method.behaviour(MessageCodec(method, MAX_MESSAGE).parsed(ending()), None))
    with pytest.raises(asyncio.CancelledError):
        await handler


async def test_bytes_that_are_no_message_end_a_stream_of_requests(linked: Linked) -> None:
    call = linked.channel.stream_stream(f"/{CONTRACT}/Talk")()
    await call.write(b"\xff\xff\xff")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call.read()
    assert from_rpc_error(raised.value).reason_name == "MALFORMED_MESSAGE"
