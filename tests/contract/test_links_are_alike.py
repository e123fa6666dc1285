"""The law behind the suite: whatever is called, a caller cannot tell the local link from gRPC, nor from the batched one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.testing import host
from tests.contract.echo import Echo, messages, service, stub

Outcome = tuple[Any, ...]

unary = st.tuples(
    st.just("Whisper"),
    st.sampled_from(["", "crash", "refuse", "metadata", "refuse with metadata", "no answer"]),
    st.text(max_size=200),
    st.integers(0, 200_000),
)
server_streams = st.tuples(st.just("Count"), st.sampled_from(["", "crash", "refuse"]), st.integers(0, 40), st.sampled_from([0, 10, 70_000]))
talks = st.tuples(
    st.just("Talk"), st.lists(st.sampled_from(["", "", "", "", "crash", "stop"]), max_size=12), st.integers(0, 3), st.integers(0, 70_000)
)
sums = st.tuples(st.just("Sum"), st.lists(st.sampled_from(["", "", "stop"]), max_size=12), st.integers(0, 3), st.integers(0, 70_000))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(unary, server_streams, talks, sums), min_size=1, max_size=6))
def test_every_sequence_of_calls_has_the_same_outcome_on_every_link(calls: list[Any]) -> None:
    async def outcomes() -> list[list[Outcome]]:
        async with contextlib.AsyncExitStack() as stack:
            seen = []
            for link in ("local", "grpc", "mux"):
                mesh = await stack.enter_async_context(host(service(Echo()), link=link))
                caller = stub(mesh.channel("echo"))
                seen.append([await outcome(caller, *call) for call in calls])
            return seen

    local, remote, batched = asyncio.run(outcomes())
    assert local == remote
    assert batched == remote


async def outcome(caller: Any, method: str, behaviour: Any, amount: Any, size: int) -> Outcome:
    """All that a caller can see of a call."""
    seen: list[Any] = []
    call = started(caller, method, behaviour, amount, size)
    try:
        if method in {"Whisper", "Sum"}:
            answer = await call
            seen.append((answer.number if method == "Sum" else answer.name, len(answer.body)))
        else:
            async for answer in call:
                seen.append((answer.number, len(answer.body)))  # noqa: PERF401 (what came before an error counts)
    except grpc.aio.AioRpcError as error:
        fault = from_rpc_error(error)
        seen.append((error.code(), error.details(), fault.reason_name, fault.domain, fault.field, fault.metadata))
    trailing = {key: value for key, value in await call.trailing_metadata() if not key.startswith("grpc-")}
    initial = {key: value for key, value in await call.initial_metadata() if key.startswith("x-")}
    return (method, tuple(seen), await call.code(), await call.details() or "", trailing, initial, call.done(), call.cancelled())


def started(caller: Any, method: str, behaviour: Any, amount: Any, size: int) -> Any:
    if method == "Whisper":
        return caller.Whisper(messages().SayRequest(behaviour=behaviour, name=amount, body=bytes(size)))
    if method == "Count":
        return caller.Count(messages().CountRequest(behaviour=behaviour, number=amount, body=bytes(size)))

    async def requests() -> AsyncIterator[Any]:
        for number, each in enumerate(behaviour):
            yield messages().CountRequest(behaviour=each, number=number, body=bytes(size))

    return getattr(caller, method)(requests())
