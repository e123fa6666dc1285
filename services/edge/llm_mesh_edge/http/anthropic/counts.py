"""`POST /v1/messages/count_tokens`."""

from __future__ import annotations

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_dialects.anthropic import requests, responses
from llm_mesh_edge.domain.failures import placed
from llm_mesh_edge.domain.ports import GatewayClient
from llm_mesh_edge.domain.receipts import decision_header, screened_headers
from llm_mesh_edge.http.anthropic.betas import with_betas
from llm_mesh_edge.http.anthropic.places import place
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.client_watch import ClientWatch
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_edge.http.parsing import conversation

_SOURCES = {
    embed_pb2.COUNT_SOURCE_PROVIDER: "provider",
    embed_pb2.COUNT_SOURCE_COUNTED: "counted",
    embed_pb2.COUNT_SOURCE_ESTIMATED: "estimated",
}


class Counts:
    """Carries a request to the gateway, and back how many tokens it has."""

    def __init__(self, gateway: GatewayClient, bodies: Bodies) -> None:
        self._gateway = gateway
        self._bodies = bodies

    async def __call__(self, exchange: HttpExchange) -> None:
        """Answer. An estimate is an upper bound, so who counted is told."""
        request = await conversation(exchange, self._bodies)
        body = with_betas(request.body, exchange.headers)
        generation = await self._bodies.worked(exchange, request.size, lambda: requests.messages_to_input(body, count=True))
        asking = gateway_pb2.CountTokensRequest(input=generation, options=request.options)
        exchange.place = lambda failure: placed(failure, place, body)
        with ClientWatch(exchange):
            answer = await self._gateway.count(asking, request.metadata)
            count = answer.count
            members = {"source": _SOURCES.get(count.source, "unknown")}
            headers = [*decision_header(answer.decision_id), *screened_headers(answer.screened)]
            await exchange.answer_json(responses.count_to_body(count) | {"llm_mesh": members}, headers)
