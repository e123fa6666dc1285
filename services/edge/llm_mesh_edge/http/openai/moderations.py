"""The dialect of `POST /v1/moderations`."""

from __future__ import annotations

import re
from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_dialects.openai import client_moderations
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.places import Body, below
from llm_mesh_edge.http.openai.places import part_place

_ITEM = re.compile(r"^input\.items\[(\d+)\](?:\.parts(?:\[(\d+)\](?:\.(.*))?)?)?$")


class Moderations:
    """`WholeMethod`."""

    def read(self, body: dict[str, Any], headers: Headers) -> gateway_pb2.ModerateRequest:
        """The request."""
        del headers
        return gateway_pb2.ModerateRequest(input=client_moderations.body_to_input(body))

    def place(self, field: str, body: Body) -> str:
        """Of a text of the list, or of a part."""
        item = _ITEM.match(field)
        content = body.get("input")
        if item is None or not isinstance(content, list):
            return "input" if item else field
        if content and all(isinstance(each, str) for each in content):
            return f"input[{item[1]}]"
        return below("input", content, int(item[2]) if item[2] else None, part_place(item[3] or ""))

    def body(self, response: gateway_pb2.ModerateResponse, request: gateway_pb2.ModerateRequest, number: str) -> object:
        """The answer."""
        del request
        return client_moderations.output_to_body(response.output, id=f"modr-{number}")
