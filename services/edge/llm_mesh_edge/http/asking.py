"""What all endpoints with a body have in common, of every dialect: the body, the mesh's own options, the metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_edge.domain.headers import Metadata
from llm_mesh_edge.domain.options import options_of
from llm_mesh_edge.http.exchange import Exchange
from llm_mesh_edge.settings import Settings


@dataclass(slots=True)
class Asked:
    """A request, taken apart."""

    body: dict[str, Any]
    options: gateway_pb2.RequestOptions | None
    """None where the client says nothing to the mesh itself."""
    metadata: Metadata


async def asked(exchange: Exchange, settings: Settings) -> Asked:
    """Read the request; what is wrong with it is told before anything is asked of the mesh."""
    body = await exchange.json(settings.max_body, settings.upload.total_seconds())
    options, project = options_of(body, exchange.headers)
    return Asked(body, options, exchange.headers.metadata(project))


async def conversation(exchange: Exchange, settings: Settings) -> Asked:
    """The same for a conversation, whose messages may all come from a prompt."""
    request = await asked(exchange, settings)
    if request.options is not None and request.options.HasField("prompt"):
        request.body.setdefault("messages", [])
    return request
