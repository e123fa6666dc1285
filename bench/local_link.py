"""What the local link and the pipeline cost per call, on this machine, now: `python -m bench.local_link`.

The bare link carries bytes to a handler that does nothing; the whole pipeline adds parsing, request id, deadline, limiter,
access by the table, metrics. The stream figures are per message of 200 bytes.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop
from grpc_health.v1 import health_pb2, health_pb2_grpc

from llm_mesh.policy.v1 import policy_pb2, policy_pb2_grpc
from llm_mesh_runtime.links.local import LocalChannel, LocalServer
from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.pipeline import Wrapped, methods_of
from llm_mesh_runtime.testing import FakePolicy, host

CALLS = 20_000
MESSAGES = 100_000


Measured = dict[str, tuple[float, float]]


async def measure(figures: Measured, name: str, calls: int, work: Callable[[int], Awaitable[None]]) -> None:
    """The best of three runs, in microseconds of CPU and of time."""
    runs = []
    for _ in range(3):
        cpu, began = time.process_time(), time.perf_counter()
        await work(calls)
        runs.append(((time.process_time() - cpu) / calls * 1e6, (time.perf_counter() - began) / calls * 1e6))
    figures[name] = min(runs)


async def bare(figures: Measured) -> None:
    """The link alone."""
    answer: bytes = health_pb2.HealthCheckResponse(status=1).SerializeToString()

    async def invoke(_first: Any, _transport: Any, _origin: Any) -> bytes:  # noqa: ANN401 (what links pass)
        return answer

    class Nothing(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # grpcio-health-checking has no types
        """A servicer for its registration only."""

    methods = methods_of([(health_pb2_grpc.add_HealthServicer_to_server, Nothing())], open_access=True)
    server = LocalServer("bare", [Wrapped(method, invoke) for method in methods])
    stub = health_pb2_grpc.HealthStub(LocalChannel(lambda: server, Outbound("bench")))
    request = health_pb2.HealthCheckRequest(service="x")

    async def calls(count: int) -> None:
        for _ in range(count):
            await stub.Check(request)

    async def gathered(count: int) -> None:
        async def some() -> None:
            for _ in range(count // 64):
                await stub.Check(request)

        await asyncio.gather(*(some() for _ in range(64)))

    await measure(figures, "bare link, unary", CALLS, calls)
    await measure(figures, "bare link, unary, 64 in flight", CALLS, gathered)


class Policy(FakePolicy):
    """Answers at once, so that only the way costs."""

    answer = policy_pb2.AuthorizeResponse(revision=1)

    async def Authorize(self, _request: policy_pb2.AuthorizeRequest, _context: object) -> policy_pb2.AuthorizeResponse:
        """The same answer to everybody."""
        return self.answer

    async def ReplayUsage(self, request: policy_pb2.ReplayUsageRequest, _context: object) -> Any:  # noqa: ANN401 (an async generator)
        """As many messages as the request's number says."""
        answer = policy_pb2.ReplayUsageResponse()
        answer.events.add(domain="x" * 190)
        for _ in range(request.from_sequence):
            yield answer


async def whole(figures: Measured) -> None:
    """Through the pipeline."""
    policy = Policy()
    async with host(policy=policy) as mesh:
        stub = policy_pb2_grpc.PolicyServiceStub(mesh.channel("policy"))
        request = policy_pb2.AuthorizeRequest(credential="mk_ana", method="/a/b", resource="c", action="d.e")

        async def calls(count: int) -> None:
            for _ in range(count):
                await stub.Authorize(request)

        async def with_deadline(count: int) -> None:
            for _ in range(count):
                await stub.Authorize(request, timeout=5.0)

        async def gathered(count: int) -> None:
            async def some() -> None:
                for _ in range(count // 64):
                    await stub.Authorize(request)

            await asyncio.gather(*(some() for _ in range(64)))

        async def stream(count: int) -> None:
            async for _ in stub.ReplayUsage(policy_pb2.ReplayUsageRequest(from_sequence=count)):
                pass

        await measure(figures, "whole pipeline, unary", CALLS, calls)
        await measure(figures, "whole pipeline, unary, with a deadline", CALLS, with_deadline)
        await measure(figures, "whole pipeline, unary, 64 in flight", CALLS, gathered)
        await measure(figures, "whole pipeline, per streamed message", MESSAGES, stream)


async def measured() -> Measured:
    """Microseconds of a call over each kind of local link."""
    figures: Measured = {}
    await bare(figures)
    await whole(figures)
    return figures


def main() -> None:
    """Prints a table, or with --json an object."""
    figures = uvloop.run(measured())
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures))
        return
    for name, (cpu, wall) in figures.items():
        print(f"{name:<58} {cpu:7.2f} µs CPU  {wall:7.2f} µs")


if __name__ == "__main__":
    main()
