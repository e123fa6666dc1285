"""The paths of Responses."""

from __future__ import annotations

from llm_mesh_edge.http.app import Route
from llm_mesh_edge.http.generation import GenerationHandler
from llm_mesh_edge.http.parts import EdgeParts
from llm_mesh_edge.http.responses.counts import InputTokens
from llm_mesh_edge.http.responses.create import ResponsesDialect
from llm_mesh_edge.http.responses.failures import shape


def routes(parts: EdgeParts) -> list[Route]:
    """Create a response, and count the tokens that a request for one has."""
    create = GenerationHandler(parts.gateway, parts.settings, parts.bodies, ResponsesDialect())
    return [
        Route("/v1/responses", {"POST": create}, shape, works=True, protected=True),
        Route("/v1/responses/input_tokens", {"POST": InputTokens(parts.gateway, parts.bodies)}, shape, works=True, protected=True),
    ]
