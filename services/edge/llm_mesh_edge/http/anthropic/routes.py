"""The paths of Anthropic's dialect."""

from __future__ import annotations

from llm_mesh_edge.http.anthropic.batches import PATH as BATCHES
from llm_mesh_edge.http.anthropic.batches import MessageBatches
from llm_mesh_edge.http.anthropic.counts import Counts
from llm_mesh_edge.http.anthropic.failures import shape
from llm_mesh_edge.http.anthropic.messages import Messages
from llm_mesh_edge.http.app import Route
from llm_mesh_edge.http.generation import GenerationHandler
from llm_mesh_edge.http.parts import EdgeParts


def routes(parts: EdgeParts) -> list[Route]:
    """All of them, but those that several dialects have."""
    messages = GenerationHandler(parts.gateway, parts.settings, parts.bodies, Messages())
    return [
        *_batches(parts),
        Route("/v1/messages", {"POST": messages}, shape, works=True, protected=True),
        Route("/v1/messages/count_tokens", {"POST": Counts(parts.gateway, parts.bodies)}, shape, works=True, protected=True),
    ]


def _batches(parts: EdgeParts) -> list[Route]:
    """Absent where the edge has no link to the service."""
    if parts.batches is None:
        return []
    batches = MessageBatches(parts.batches, parts.bodies)
    return [
        Route(BATCHES, {"GET": batches.all, "POST": batches.create}, shape, works=True, protected=True),
        Route(f"{BATCHES}/*", {"GET": batches.one, "DELETE": batches.delete}, shape, protected=True),
        Route(f"{BATCHES}/*/cancel", {"POST": batches.cancel}, shape, protected=True),
        Route(f"{BATCHES}/*/results", {"GET": batches.results}, shape, works=True, protected=True),
    ]
