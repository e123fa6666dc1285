"""Unary calls, over every link."""

import asyncio
import gc
from typing import Any

import grpc
import pytest

from llm_mesh_runtime import context as call
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.pipeline.transport import MAX_MESSAGE
from tests.contract.conftest import Linked
from tests.contract.echo import CONTRACT, LEAK, messages


def say(**fields: Any) -> Any:
    return messages().SayRequest(**fields)


async def failed(awaitable: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await awaitable
    return raised.value


async def test_an_answer_comes_back_and_can_be_awaited_again(linked: Linked) -> None:
    sent = linked.stub.Say(say(name="ana"))
    assert (await sent).name == "ana"
    assert (await sent).name == "ana"
    assert await sent.code() is grpc.StatusCode.OK
    assert sent.done()
    assert not sent.cancelled()


async def test_an_error_carries_reason_domain_field_and_metadata(linked: Linked) -> None:
    error = from_rpc_error(await failed(linked.stub.Say(say(behaviour="refuse"))))
    assert (error.code, error.reason_name, error.domain) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "mesh.llm-mesh")
    assert (error.field, error.metadata, error.message) == ("name", {"hint": "try harder"}, "name: something else")


async def test_a_crash_is_internal_and_says_nothing_about_its_cause(linked: Linked) -> None:
    raised = await failed(linked.stub.Say(say(behaviour="crash")))
    assert raised.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in str(raised)
    assert from_rpc_error(raised).reason_name == "INTERNAL"


async def test_a_handler_without_an_answer_is_a_defect(linked: Linked) -> None:
    assert (await failed(linked.stub.Say(say(behaviour="no answer")))).code() is grpc.StatusCode.INTERNAL


async def test_the_handlers_context_is_empty_but_for_the_call(linked: Linked) -> None:
    LEAK.set("the caller's value")
    assert (await linked.stub.Say(say())).seen["leak"] == "nothing"


async def test_metadata_cross_in_both_directions(linked: Linked) -> None:
    sent = linked.stub.Say(say(behaviour="metadata"), metadata=(("x-test", "value"),))
    assert (await sent).seen["x-test"] == "value"
    assert dict(await sent.initial_metadata())["x-initial"] == "one"
    trailing = dict(await sent.trailing_metadata())
    assert trailing["x-trailing"] == "two"
    assert trailing["x-bytes-bin"] == b"\x00\xff"


async def test_trailing_metadata_come_with_an_error_too(linked: Linked) -> None:
    raised = await failed(linked.stub.Say(say(behaviour="refuse with metadata")))
    assert dict(raised.trailing_metadata() or ())["x-trailing"] == "two"
    assert from_rpc_error(raised).reason_name == "INVALID_FIELD"


async def test_the_request_id_passes_on(linked: Linked) -> None:
    with call.scope(request_id="request-7"):
        assert (await linked.stub.Say(say())).seen["request id"] == "request-7"


async def test_a_request_id_that_could_forge_a_log_line_is_replaced(linked: Linked) -> None:
    seen = (await linked.stub.Say(say(), metadata=(("x-request-id", "x" * 129),))).seen
    assert len(seen["request id"]) == 32


async def test_the_handler_sees_the_callers_deadline(linked: Linked) -> None:
    seen = (await linked.stub.Say(say(), timeout=5.0)).seen
    assert 4.0 < float(seen["remaining"]) <= 5.1


async def test_a_deadline_of_the_handlers_own_call_passes_on_and_only_shrinks(linked: Linked) -> None:
    with call.scope(timeout=5.0):
        assert float((await linked.stub.Say(say(), timeout=60.0)).seen["remaining"]) <= 5.1
        assert float((await linked.stub.Say(say(), timeout=2.0)).seen["remaining"]) <= 2.1


async def test_without_a_deadline_the_server_sets_its_own(linked: Linked) -> None:
    assert 25.0 < float((await linked.stub.Say(say())).seen["remaining"]) <= 30.1


async def test_when_the_deadline_passes_the_caller_is_told_and_the_handler_cancelled(linked: Linked) -> None:
    raised = await failed(linked.stub.Say(say(behaviour="stall"), timeout=0.1))
    assert raised.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert from_rpc_error(raised).reason_name == "DEADLINE_EXCEEDED"
    async with asyncio.timeout(5):
        await linked.echo.cancelled.wait()


async def test_an_expired_call_never_reaches_the_handler(linked: Linked) -> None:
    with call.scope(timeout=-1.0):
        raised = await failed(linked.stub.Say(say()))
    assert raised.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert linked.echo.calls == 0


async def test_cancelling_the_call_cancels_the_handler(linked: Linked) -> None:
    sent = linked.stub.Say(say(behaviour="stall"))
    await linked.echo.started.wait()
    assert sent.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sent
    assert sent.cancelled()
    assert await sent.code() is grpc.StatusCode.CANCELLED
    async with asyncio.timeout(5):
        await linked.echo.cancelled.wait()


async def test_cancelling_the_callers_task_cancels_the_handler(linked: Linked) -> None:
    task = asyncio.ensure_future(_awaited(linked.stub.Say(say(behaviour="stall"))))
    await linked.echo.started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await linked.echo.cancelled.wait()


async def test_dropping_a_call_cancels_the_handler(linked: Linked) -> None:
    sent = linked.stub.Say(say(behaviour="stall"))
    await linked.echo.started.wait()
    del sent
    gc.collect()
    async with asyncio.timeout(5):
        await linked.echo.cancelled.wait()


async def test_callbacks_learn_of_the_end(linked: Linked) -> None:
    ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    sent = linked.stub.Say(say())
    sent.add_done_callback(ended.set_result)
    await sent
    assert await ended is sent


async def test_a_message_at_the_limit_passes_both_ways(linked: Linked) -> None:
    overhead = len(say(behaviour="", body=bytes(MAX_MESSAGE - 64)).SerializeToString()) - (MAX_MESSAGE - 64)
    answer = await linked.stub.Say(say(body=bytes(MAX_MESSAGE - overhead)), timeout=20)
    assert answer.seen["caller"] == "service"
    answer = await linked.stub.Say(say(behaviour="big answer", name=str(MAX_MESSAGE - overhead)), timeout=20)
    assert len(answer.body) == MAX_MESSAGE - overhead


@pytest.mark.parametrize("request_fields", [{"body": bytes(MAX_MESSAGE)}, {"behaviour": "big answer", "name": str(MAX_MESSAGE)}])
async def test_a_message_over_the_limit_is_refused_and_says_the_limit(linked: Linked, request_fields: dict[str, Any]) -> None:
    raised = await failed(linked.stub.Say(say(**request_fields), timeout=20))
    error = from_rpc_error(raised)
    assert (raised.code(), error.reason_name) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE")
    assert error.metadata["limit_bytes"] == str(MAX_MESSAGE)


async def test_a_message_far_over_the_limit_is_refused_for_the_same_reason(linked: Linked) -> None:
    error = from_rpc_error(await failed(linked.stub.Say(say(body=bytes(MAX_MESSAGE + 2**20)), timeout=20)))
    assert error.reason_name == "MESSAGE_TOO_LARGE"


async def test_bytes_that_are_no_message_are_an_invalid_argument(linked: Linked) -> None:
    raw = linked.channel.unary_unary(f"/{CONTRACT}/Say")
    raised = await failed(raw(b"\xff\xff\xff"))
    assert raised.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert from_rpc_error(raised).reason_name == "MALFORMED_MESSAGE"


async def test_a_method_that_does_not_exist_is_unimplemented(linked: Linked) -> None:
    raw = linked.channel.unary_unary(f"/{CONTRACT}/Nothing")
    assert (await failed(raw(b""))).code() is grpc.StatusCode.UNIMPLEMENTED


async def test_many_calls_at_once_do_not_mix(linked: Linked) -> None:
    answers = await asyncio.gather(*(_awaited(linked.stub.Say(say(name=str(number)))) for number in range(100)))
    assert [answer.name for answer in answers] == [str(number) for number in range(100)]


async def _awaited(sent: Any) -> Any:
    return await sent
