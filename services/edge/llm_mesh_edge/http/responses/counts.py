"""`POST /v1/responses/input_tokens`."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_dialects.responses import body_into_input
from llm_mesh_edge.domain.ports import GatewayClient
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.counts import TokenCounts
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_edge.http.parsing import conversation
from llm_mesh_edge.http.responses.places import place


class InputTokens:
    """Carries a request to the gateway, and back how many tokens it has."""

    def __init__(self, gateway: GatewayClient, bodies: Bodies) -> None:
        self._counts = TokenCounts(gateway, bodies)
        self._bodies = bodies

    async def __call__(self, exchange: HttpExchange) -> None:
        """Read the body as a request for a response, and answer."""
        request = await conversation(exchange, self._bodies, "input")
        await self._counts.answer(exchange, request, place, lambda: _read(request.body), _write)


def _read(body: dict[str, Any]) -> generate_pb2.GenerateInput:
    counted = generate_pb2.GenerateInput()
    body_into_input(counted, body)
    return counted


def _write(count: embed_pb2.TokenCount) -> dict[str, object]:
    return {"object": "response.input_tokens", "input_tokens": count.input_tokens}
