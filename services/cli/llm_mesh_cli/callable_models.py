"""The models that a key may ask for answers or vectors; a name that is none of them fails with the nearest one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

import grpc

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh_cli.existing import suggestion
from llm_mesh_cli.paging import pages
from llm_mesh_runtime.peer_errors import from_rpc_error

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session

Capability = Literal["generate", "embeddings"]
_NOT_CALLABLE = frozenset({"MODEL_NOT_FOUND", "MODEL_DENIED"})


async def aliases(stub: gateway_pb2_grpc.GatewayServiceStub, capability: Capability) -> list[str]:
    """The aliases that the key may use for this."""
    listing = pages(stub.ListModels, gateway_pb2.ListModelsRequest())
    models = [model async for answer in listing for model in answer.models]
    return [model.alias for model in models if not model.capabilities or capability in model.capabilities]


@asynccontextmanager
async def suggesting(
    session: Session, stub: gateway_pb2_grpc.GatewayServiceStub, alias: str, capability: Capability = "generate"
) -> AsyncIterator[None]:
    """Calls a model inside. Where it does not exist, the mesh's error also names the aliases that are nearest."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        failure = from_rpc_error(error, peer=session.peer)
        if failure.reason_name not in _NOT_CALLABLE:
            raise
        try:
            known = await aliases(stub, capability)
        except grpc.aio.AioRpcError:
            raise error from None  # who may not list gets no suggestion
        if alias not in known:
            failure.message += suggestion(alias, known)
        raise failure from error
