"""Whether an endpoint's provider answers and admits the mesh, asked of its adapter."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import grpc

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.set_up.endpoints import ADAPTER
from llm_mesh_cli.shown import enum_text

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session

_TIMEOUT = 40.0
_PAUSE = 0.1


async def check_endpoint(session: Session, adapter: str, endpoint: str, within: timedelta) -> None:
    """Says how the provider answers; exit code 3 where it does not, or does not admit the mesh."""
    stub = adapter_pb2_grpc.AdapterServiceStub(session.channel(f"adapter/{adapter}"))
    request = adapter_pb2.CheckEndpointRequest(endpoint=endpoint)
    request.timeout.FromTimedelta(within)
    work = stub.CheckEndpoint(request, metadata=((ADAPTER, adapter),), timeout=_TIMEOUT)
    answer = await session.output.waiting(work, "asking the provider")
    if session.output.as_json:
        session.output.message(answer)
    result = enum_text(adapter_pb2.CheckResult.DESCRIPTOR, answer.result)
    reason = f": {answer.message} ({answer.reason})" if answer.message else ""
    if answer.result not in {adapter_pb2.CHECK_RESULT_ADMITTED, adapter_pb2.CHECK_RESULT_ANSWERED}:
        raise CommandError(f"{adapter}/{endpoint}: {result}{reason}", Exit.UNAVAILABLE)
    session.output.line(f"{adapter}/{endpoint}: {result}, in {answer.duration.ToMilliseconds()} ms{reason}")


async def in_effect(session: Session, adapter: str, endpoint: str, base_url: str, within: float) -> None:
    """Waits until the adapter uses an endpoint as it was added; exit code 3 with the adapter's reason where it does not."""
    stub = adapter_pb2_grpc.AdapterServiceStub(session.channel(f"adapter/{adapter}"))
    fault = f"the adapter {adapter} did not take it within {within:g} s: does it run, and does it reach the registry?"
    try:
        async with asyncio.timeout(within):
            while True:
                answer = await stub.ListEndpoints(
                    adapter_pb2.ListEndpointsRequest(page_size=1000), metadata=((ADAPTER, adapter),), timeout=within
                )
                for each in answer.endpoints:
                    if each.name == endpoint:
                        if each.base_url == base_url:
                            return
                        fault = each.fault or fault
                await asyncio.sleep(_PAUSE)
    except (TimeoutError, grpc.aio.AioRpcError) as error:
        if isinstance(error, grpc.aio.AioRpcError) and error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
        raise CommandError(f"{adapter}/{endpoint}: {fault}", Exit.UNAVAILABLE) from None
