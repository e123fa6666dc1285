"""Asks how many tokens a request has, and carries the count back, in whichever dialect it was asked."""

from __future__ import annotations

from collections.abc import Callable

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_edge.domain.failures import placed
from llm_mesh_edge.domain.places import Place
from llm_mesh_edge.domain.ports import GatewayClient
from llm_mesh_edge.domain.receipts import decision_header, screened_headers
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.client_watch import ClientWatch
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_edge.http.parsing import ParsedRequest

_SOURCES = {
    embed_pb2.COUNT_SOURCE_PROVIDER: "provider",
    embed_pb2.COUNT_SOURCE_COUNTED: "counted",
    embed_pb2.COUNT_SOURCE_ESTIMATED: "estimated",
}


class TokenCounts:
    """Carries requests to the gateway, and back how many tokens they have."""

    def __init__(self, gateway: GatewayClient, bodies: Bodies) -> None:
        self._gateway = gateway
        self._bodies = bodies

    async def answer(
        self,
        exchange: HttpExchange,
        request: ParsedRequest,
        place: Place,
        read: Callable[[], generate_pb2.GenerateInput],
        write: Callable[[embed_pb2.TokenCount], dict[str, object]],
    ) -> None:
        """Answer. An estimate is an upper bound, so who counted is told."""
        generation = await self._bodies.worked(exchange, request.size, read)
        asking = gateway_pb2.CountTokensRequest(input=generation, options=request.options)
        exchange.place = lambda failure: placed(failure, place, request.body)
        with ClientWatch(exchange):
            answer = await self._gateway.count(asking, request.metadata)
            members = {"source": _SOURCES.get(answer.count.source, "unknown")}
            headers = [*decision_header(answer.decision_id), *screened_headers(answer.screened)]
            await exchange.answer_json(write(answer.count) | {"llm_mesh": members}, headers)
