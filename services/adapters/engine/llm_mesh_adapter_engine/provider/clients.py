"""The client of each endpoint."""

from __future__ import annotations

from functools import partial

from llm_mesh_adapter_engine.provider.dialect import EngineDialect
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.rpc.client import RpcClient
from llm_mesh_adapter_kit.rpc.settings import rpc_transport


def client_of(dialect: EngineDialect, endpoint: Endpoint) -> RpcClient:
    """A client that tells the engine when an answer is read no more."""
    return RpcClient(endpoint.origin, endpoint.rule, rpc_transport(endpoint.transport), partial(dialect.abandoned, endpoint))
