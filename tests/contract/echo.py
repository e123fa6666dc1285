"""A service whose handlers do what the request asks for: what the links are tested with."""

import asyncio
import importlib
import sys
import tempfile
from collections.abc import AsyncIterator
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import grpc_tools
from grpc_tools import protoc

from llm_mesh_runtime import context as call
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import NoSettings

CONTRACT = "llm_mesh.echo.v1.EchoService"
LEAK: ContextVar[str] = ContextVar("leak", default="nothing")
_HERE = Path(__file__).parent


@cache
def generated() -> tuple[Any, Any]:
    """The messages and stubs of the test's contract, compiled once per process."""
    folder = tempfile.mkdtemp(prefix="echo-")
    includes = [_HERE / "protos", _HERE.parents[1] / "protos", Path(grpc_tools.__path__[0]) / "_proto"]
    arguments = [f"-I{include}" for include in includes]
    assert protoc.main(["protoc", *arguments, f"--python_out={folder}", f"--grpc_python_out={folder}", "echo.proto"]) == 0
    sys.path.insert(0, folder)
    return importlib.import_module("echo_pb2"), importlib.import_module("echo_pb2_grpc")


class Echo:
    """The servicer. What happens inside is seen through its events."""

    def __init__(self) -> None:
        self.calls = 0
        self.produced = 0
        self.started = asyncio.Event()
        self.twice = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.ended = asyncio.Event()
        self.flooded = asyncio.Event()
        self.go = asyncio.Event()
        self.next: Any = None

    async def Say(self, request: Any, context: Any) -> Any:
        return await self._say(request, context)

    async def Whisper(self, request: Any, context: Any) -> Any:
        return await self._say(request, context)

    async def Count(self, request: Any, _context: Any) -> AsyncIterator[Any]:
        try:
            async for answer in self._count(request):
                yield answer
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.set()
            raise

    async def WatchCount(self, request: Any, _context: Any) -> AsyncIterator[Any]:
        async for answer in self._count(request):
            yield answer

    async def Sum(self, requests: AsyncIterator[Any], _context: Any) -> Any:
        total = 0
        self.started.set()
        try:
            async for request in requests:
                self.calls += 1
                if request.behaviour == "stop":
                    break
                if request.behaviour == "stall":
                    await asyncio.Event().wait()
                total += request.number
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.ended.set()
        return messages().CountResponse(number=total)

    async def Talk(self, requests: AsyncIterator[Any], _context: Any) -> AsyncIterator[Any]:
        self.started.set()
        try:
            async for request in requests:
                if request.behaviour == "crash":
                    raise RuntimeError("a secret of the handler")
                if request.behaviour == "stop":
                    return
                yield messages().CountResponse(number=request.number, body=request.body)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.ended.set()

    async def _say(self, request: Any, context: Any) -> Any:
        self.calls += 1
        self.started.set()
        if self.calls == 2:
            self.twice.set()
        match request.behaviour:
            case "crash":
                raise RuntimeError("a secret of the handler")
            case "refuse":
                raise invalid("name", "something else", hint="try harder")
            case "stall":
                await self._stall()
            case "metadata":
                await context.send_initial_metadata((("x-initial", "one"),))
                context.set_trailing_metadata((("x-trailing", "two"), ("x-bytes-bin", b"\x00\xff")))
            case "refuse with metadata":
                context.set_trailing_metadata((("x-trailing", "two"),))
                raise invalid("name", "something else")
            case "big answer":
                return messages().SayResponse(body=bytes(int(request.name)))
            case "no answer":
                return None
            case "relay":
                return await self.next.Say(messages().SayRequest(name=request.name))
        return messages().SayResponse(name=request.name, seen=self._seen(context))

    def _seen(self, context: Any) -> dict[str, str]:
        remaining = call.deadline_remaining()
        metadata = dict(context.invocation_metadata())
        return {
            "caller": call.caller().kind,
            "service": call.caller().service,
            "principal": call.caller().principal,
            "project": call.caller().project,
            "request id": call.request_id(),
            "remaining": "" if remaining is None else str(remaining),
            "leak": LEAK.get(),
            "metadata": ",".join(sorted(key for key in metadata if not key.startswith(("grpc-", "user-agent")))),
            "x-test": str(metadata.get("x-test", "")),
            "llm-mesh-secret": str(call.metadata().get("llm-mesh-secret", "")),
        }

    async def _count(self, request: Any) -> AsyncIterator[Any]:
        self.started.set()
        for number in range(request.number):
            self.produced += 1
            if self.produced > 400:
                self.flooded.set()
            yield messages().CountResponse(number=number, body=request.body)
        match request.behaviour:
            case "crash":
                raise RuntimeError("a secret of the handler")
            case "refuse":
                raise invalid("number", "less")
            case "stall":
                await self._stall()
            case "wait":
                await self.go.wait()
                yield messages().CountResponse(number=-1)

    async def _stall(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def messages() -> Any:
    """The test contract's messages."""
    return generated()[0]


def stub(channel: Any) -> Any:
    """A stub of the test contract."""
    return generated()[1].EchoServiceStub(channel)


def service(echo: Echo, name: str = "echo", *, next_name: str = "") -> Service:
    """The service to host. With `next_name` its handlers can relay to another."""

    def build(_settings: object, links: Links) -> Servicers:
        if next_name:
            echo.next = stub(links.channel(next_name))
        return Servicers((generated()[1].add_EchoServiceServicer_to_server, echo))

    return Service(name, (CONTRACT,), NoSettings, build)
