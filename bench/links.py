"""What each link costs per call and per streamed message, on each side: `python -m bench.links` (`--seconds 1`, `--profile side`).

A caller on one core, a callee on the other; 1 KB there and 250 bytes back, a handler that does nothing, no pipeline: the link alone.
Streams are of 100 messages of 200 bytes, 16 at once. Times are of CPU, medians of three runs; the local link's two sides are one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import uvloop
from grpc_health.v1 import health_pb2_grpc

from bench.processes import LOAD_CORE, MESH_CORE
from llm_mesh_runtime.context import Caller, Frame
from llm_mesh_runtime.host.listeners import Listener
from llm_mesh_runtime.links.local import LocalChannel, LocalServer
from llm_mesh_runtime.links.mux import MuxChannel, Name
from llm_mesh_runtime.links.mux.server import LinkServer
from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.links.remote import RemoteChannel
from llm_mesh_runtime.pipeline import Wrapped, methods_of
from llm_mesh_runtime.shares import Party

REQUEST, ANSWER, MESSAGE = bytes(1024), bytes(250), bytes(200)
CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
MESSAGES, STREAMS = 100, 16
RUNS = 3
Work = Callable[[Any, int, float], Awaitable[int]]


class Nobody:
    """Lets everybody in."""

    def of(self, _method: object) -> Nobody:
        """It decides about every method."""
        return self

    by_request = False

    def head(self, *_: object) -> Caller:
        """The caller, without a question."""
        return Caller("service", service="bench")

    async def ask(self, *_: object) -> Caller:
        """The caller of a head that nobody has asked about."""
        return self.head()

    def party(self, *_: object) -> Party:
        """Whom a call counts to whose caller nobody knows."""
        return Party("bench")

    known, decide = head, ask


def bare() -> LocalServer:
    """Handlers that do nothing: the link alone."""

    async def check(_first: Any, _transport: Any, _origin: Any) -> bytes:  # noqa: ANN401 (what links pass)
        return ANSWER

    async def watch(_first: Any, transport: Any, _origin: Any) -> None:  # noqa: ANN401 (what links pass)
        for _ in range(MESSAGES):
            await transport.write(MESSAGE)

    class Nothing(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # grpcio-health-checking has no types
        """A servicer for its registration only."""

    methods = methods_of([(health_pb2_grpc.add_HealthServicer_to_server, Nothing())], open_access=True)
    return LocalServer("bench", [Wrapped(method, watch if method.response_streaming else check) for method in methods])


async def serve(address: str) -> None:
    """The callee's process, until its standard input ends."""
    local = bare()
    listener = Listener(address, lambda _transport: Frame("", calling="bench"))
    listener.serve([Wrapped(wrapped.method, wrapped.invoke) for wrapped in local.handlers.values()], LinkServer(local, Nobody(), None))
    await listener.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await listener.stop(0)


async def unary(channel: Any, in_flight: int, seconds: float) -> int:  # noqa: ANN401 (any kind of channel)
    """Calls, always so many at once; how many there were."""
    call, end, done = channel.unary_unary(CHECK), time.monotonic() + seconds, 0

    async def some() -> None:
        nonlocal done
        while time.monotonic() < end:
            await call(REQUEST, timeout=30.0)
            done += 1

    await asyncio.gather(*(some() for _ in range(in_flight)))
    return done


async def streams(channel: Any, in_flight: int, seconds: float) -> int:  # noqa: ANN401 (any kind of channel)
    """Streams, always so many at once; how many messages came."""
    call, end, done = channel.unary_stream(WATCH), time.monotonic() + seconds, 0

    async def some() -> None:
        nonlocal done
        while time.monotonic() < end:
            async for _ in call(REQUEST, timeout=30.0):
                done += 1

    await asyncio.gather(*(some() for _ in range(in_flight)))
    return done


def spent(process: int) -> float:
    """Seconds of CPU that a process has used, to the nanosecond."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


async def measured(channel: Any, work: Work, in_flight: int, seconds: float, callee: int) -> tuple[float, float, float]:  # noqa: ANN401
    """Microseconds of the caller's and of the callee's CPU for each, and how many there were in a second."""
    rows = []
    for _ in range(RUNS):
        own, other, began = time.process_time(), spent(callee), time.monotonic()
        done = await work(channel, in_flight, seconds)
        rows.append(
            (
                (time.process_time() - own) / done * 1e6,
                (spent(callee) - other) / done * 1e6,
                done / (time.monotonic() - began),
            )
        )
    return cast("tuple[float, float, float]", tuple(statistics.median(column) for column in zip(*rows, strict=True)))


async def compare(address: str, callee: int, seconds: float, only: str) -> None:
    """The table."""
    local = bare()
    channels: dict[str, Any] = {
        "local": LocalChannel(lambda: local, Outbound("bench")),
        "grpc": RemoteChannel("bench", address, Outbound("bench")),
        "mux": MuxChannel("bench", Name.read(address), Outbound("bench")),
    }
    print(f"{'link':<6} {'in flight':>9} {'caller µs':>10} {'callee µs':>10} {'per second':>11}")
    for name, channel in channels.items():
        if only and name != only:
            continue
        for work, in_flight in ((unary, 1), (unary, 16), (unary, 64), (streams, STREAMS)):
            await work(channel, in_flight, 0.3)
            caller, other, rate = await measured(channel, work, in_flight, seconds, callee)
            shown = f"{other:10.1f}" if name != "local" else f"{'':>10}"
            what = "" if work is unary else "  messages of streams"
            print(f"{name:<6} {in_flight:>9} {caller:10.1f} {shown} {rate:11,.0f}{what}")
        await channel.close()


@contextlib.contextmanager
def profiled(where: str) -> Iterator[None]:
    """Profile this process, and print what took longest."""
    if not where:
        yield
        return
    profile = cProfile.Profile()
    with profile:
        yield
    pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)


def main() -> None:
    """Measure, or serve what is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="the length of a run")
    parser.add_argument("--link", default="", choices=["", "local", "grpc", "mux"], help="only this one")
    parser.add_argument("--profile", default="", choices=["", "caller", "callee"], help="the side that is profiled")
    parser.add_argument("--serve", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    cores = os.sched_getaffinity(0)
    core = MESH_CORE if arguments.serve else LOAD_CORE
    os.sched_setaffinity(0, {core} if core in cores else cores)
    if arguments.serve:
        with profiled("callee" if arguments.profile == "callee" else ""):
            uvloop.run(serve(arguments.serve))
        return
    with tempfile.TemporaryDirectory(prefix="links-", dir="/tmp") as folder:
        address = f"unix:{folder}/bench.sock"
        command = [sys.executable, "-m", "bench.links", "--serve", address, "--profile", arguments.profile]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as callee:
            if callee.stdout is None or callee.stdout.readline() != "ready\n":
                raise SystemExit("the callee does not start")
            with profiled("caller" if arguments.profile == "caller" else ""):
                uvloop.run(compare(address, callee.pid, arguments.seconds, arguments.link))
            if callee.stdin is not None:
                callee.stdin.close()


if __name__ == "__main__":
    main()
