"""The paths of OpenAI's dialect."""

from __future__ import annotations

from llm_mesh_edge.http.app import Route
from llm_mesh_edge.http.embedding import EmbeddingHandler
from llm_mesh_edge.http.generation import GenerationHandler
from llm_mesh_edge.http.openai.chat import Chat
from llm_mesh_edge.http.openai.embeddings import OpenAIEmbeddings
from llm_mesh_edge.http.openai.failures import shape
from llm_mesh_edge.http.parts import EdgeParts


def routes(parts: EdgeParts) -> list[Route]:
    """All of them, but those that several dialects have."""
    chat = GenerationHandler(parts.gateway, parts.settings, parts.bodies, Chat())
    return [
        Route("/v1/chat/completions", {"POST": chat}, shape, works=True, protected=True),
        Route(
            "/v1/embeddings", {"POST": EmbeddingHandler(parts.gateway, parts.bodies, OpenAIEmbeddings())}, shape, works=True, protected=True
        ),
    ]
