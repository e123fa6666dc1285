"""The dialect of `POST /v1/images/generations` and `/v1/images/edits`."""

from __future__ import annotations

import re
from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_dialects.openai import client_images
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.places import Body
from llm_mesh_edge.domain.ports import GatewayClient
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_edge.http.parsing import parsed_form
from llm_mesh_edge.http.whole_answer import WholeAnswerCarrier

_PLACES = {
    "input.count": "n",
    "input.mime_type": "output_format",
    "input.compression": "output_compression",
    "input.end_user": "user",
    "input.images": "image",
}
_FILE = re.compile(r"^input\.(image|mask)s?(?:\[(\d+)\])?(?:\..*)?$")


class Images:
    """`WholeMethod`, for new images."""

    def read(self, body: dict[str, Any], headers: Headers) -> gateway_pb2.GenerateImageRequest:
        """The request."""
        del headers
        return gateway_pb2.GenerateImageRequest(input=client_images.body_to_input(body))

    def place(self, field: str, body: Body) -> str:
        """Of a field, or of an uploaded image."""
        if field in _PLACES:
            return _PLACES[field]
        file = _FILE.match(field)
        if file is None:
            return field
        return f"{file[1]}[{file[2]}]" if file[2] and isinstance(body.get(file[1]), list) else file[1]

    def body(self, response: gateway_pb2.GenerateImageResponse, request: gateway_pb2.GenerateImageRequest, number: str) -> object:
        """The answer."""
        del request, number
        return client_images.output_to_body(response.output)


class EditedImages(Images):
    """`WholeMethod`, for images made of others: the request is a form."""

    def read(self, body: dict[str, Any], headers: Headers) -> gateway_pb2.GenerateImageRequest:
        """The request."""
        del headers
        return gateway_pb2.GenerateImageRequest(input=client_images.form_to_input(body))


class ImageEdits:
    """Carries one form to the gateway, and images back."""

    def __init__(self, gateway: GatewayClient, bodies: Bodies) -> None:
        self._carrier = WholeAnswerCarrier(gateway.generate_image, bodies)
        self._bodies = bodies

    async def __call__(self, exchange: HttpExchange) -> None:
        """Read the form as it arrives, ask the gateway, and write its answer."""
        await self._carrier.carry(exchange, await parsed_form(exchange, self._bodies, client_images.FILES), EditedImages())
