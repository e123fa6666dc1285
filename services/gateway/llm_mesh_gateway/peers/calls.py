"""What the calls of peers have in common: a failure of theirs becomes an error that domain code can read."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, TypeVar

import grpc

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.errors import RuntimeFault
from llm_mesh_runtime.peer_errors import from_rpc_error

T = TypeVar("T")
QUICK: Final = 5.0
"""Seconds for calls that are not given the time of their request."""
ADAPTERS: Final = "adapter/"
"""What the names of links to adapters begin with."""


async def answered(call: Awaitable[T], peer: str) -> T:
    """The answer of a call."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error, peer=peer) from error


def unavailable(peer: str) -> RuntimeFault:
    """No link leads to a peer."""
    reason = errors_pb2.ERROR_REASON_PEER_UNAVAILABLE
    return RuntimeFault(reason, f"no link leads to {peer}", retry_after=1.0, peer=peer, sent="false")
