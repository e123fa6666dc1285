"""`POST /v1/embeddings`."""

from __future__ import annotations

import orjson

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_dialects.openai import embeddings
from llm_mesh_edge.domain.ports import Gateway
from llm_mesh_edge.domain.receipts import receipt_headers, translation_headers
from llm_mesh_edge.http.asking import asked
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.exchange import Exchange
from llm_mesh_edge.http.presence import Presence


class Embeddings:
    """Carries texts to the gateway and vectors back."""

    def __init__(self, gateway: Gateway, bodies: Bodies) -> None:
        self._gateway = gateway
        self._bodies = bodies

    async def __call__(self, exchange: Exchange) -> None:
        """Answer."""
        request = await asked(exchange, self._bodies)
        base64 = request.body.get("encoding_format") == "base64"
        given = await self._bodies.worked(exchange, request.size, lambda: embeddings.body_to_input(request.body))
        asking = gateway_pb2.EmbedRequest(input=given, options=request.options)
        with Presence(exchange):
            answer = await self._gateway.embed(asking, request.metadata)
            output = answer.output
            headers = [*receipt_headers(answer.receipt), *translation_headers(output.translations)]
            body = await self._bodies.written(
                exchange, output.ByteSize(), lambda: orjson.dumps(embeddings.output_to_body(output, base64=base64))
            )
            await exchange.answer(200, body, headers)
