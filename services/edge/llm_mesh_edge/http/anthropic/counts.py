"""`POST /v1/messages/count_tokens`."""

from __future__ import annotations

from functools import partial

from llm_mesh_dialects.anthropic import requests, responses
from llm_mesh_edge.domain.ports import GatewayClient
from llm_mesh_edge.http.anthropic.betas import with_betas
from llm_mesh_edge.http.anthropic.places import place
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.counts import TokenCounts
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_edge.http.parsing import conversation


class Counts:
    """Carries a request to the gateway, and back how many tokens it has."""

    def __init__(self, gateway: GatewayClient, bodies: Bodies) -> None:
        self._counts = TokenCounts(gateway, bodies)
        self._bodies = bodies

    async def __call__(self, exchange: HttpExchange) -> None:
        """Read the body as a request for an answer that may lack a limit, and answer."""
        request = await conversation(exchange, self._bodies)
        request.body = with_betas(request.body, exchange.headers)
        read = partial(requests.messages_to_input, request.body, count=True)
        await self._counts.answer(exchange, request, place, read, responses.count_to_body)
