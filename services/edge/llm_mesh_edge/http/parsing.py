"""What all endpoints with a body have in common, of every dialect: the body, the mesh's own options, the metadata."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_edge.domain.headers import Metadata
from llm_mesh_edge.domain.options import FIELD, options_of
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.exchange import HttpExchange


@dataclass(slots=True)
class ParsedRequest:
    """A request, taken apart."""

    body: dict[str, Any]
    options: gateway_pb2.RequestOptions | None
    """None where the client says nothing to the mesh itself."""
    metadata: Metadata
    size: int
    """Bytes of the body."""


async def parsed_request(exchange: HttpExchange, bodies: Bodies) -> ParsedRequest:
    """Read the request; what is wrong with it is told before anything is asked of the mesh."""
    return _parsed(exchange, *await bodies.read(exchange))


async def parsed_form(exchange: HttpExchange, bodies: Bodies, files: AbstractSet[str]) -> ParsedRequest:
    """The same for a request whose body is a form. `files` are the fields that may be files."""
    return _parsed(exchange, *await bodies.read_form(exchange, files))


def _parsed(exchange: HttpExchange, body: dict[str, Any], size: int) -> ParsedRequest:
    exchange.options_in_body = _keys(body.get(FIELD))
    options, project = options_of(body, exchange.headers)
    return ParsedRequest(body, options, exchange.headers.metadata(project), size)


def _keys(value: object) -> frozenset[str]:
    return frozenset(value) if isinstance(value, dict) else frozenset()


async def conversation(exchange: HttpExchange, bodies: Bodies, key: str = "messages") -> ParsedRequest:
    """The same for a conversation, whose messages may all come from a prompt. `key` has them."""
    request = await parsed_request(exchange, bodies)
    if request.options is not None and request.options.HasField("prompt"):
        request.body.setdefault(key, [])
    return request
