"""The paths of OpenAI's dialect."""

from __future__ import annotations

from llm_mesh_edge.http.app import Handler, Route
from llm_mesh_edge.http.embedding import EmbeddingHandler
from llm_mesh_edge.http.generation import GenerationHandler
from llm_mesh_edge.http.openai.chat import Chat
from llm_mesh_edge.http.openai.embeddings import OpenAIEmbeddings
from llm_mesh_edge.http.openai.failures import shape
from llm_mesh_edge.http.openai.images import ImageEdits, Images
from llm_mesh_edge.http.openai.moderations import Moderations
from llm_mesh_edge.http.openai.speech import SpeechHandler
from llm_mesh_edge.http.openai.transcriptions import TranscriptionHandler
from llm_mesh_edge.http.parts import EdgeParts
from llm_mesh_edge.http.whole_answer import WholeAnswerHandler


def routes(parts: EdgeParts) -> list[Route]:
    """All of them, but those that several dialects have."""
    gateway, bodies = parts.gateway, parts.bodies
    chat = GenerationHandler(parts.gateway, parts.settings, parts.bodies, Chat())
    paths: dict[str, Handler] = {
        "/v1/moderations": WholeAnswerHandler(gateway.moderate, bodies, Moderations()),
        "/v1/images/generations": WholeAnswerHandler(gateway.generate_image, bodies, Images()),
        "/v1/images/edits": ImageEdits(gateway, bodies),
        "/v1/audio/speech": SpeechHandler(gateway, bodies),
        "/v1/audio/transcriptions": TranscriptionHandler(gateway, bodies, to_english=False),
        "/v1/audio/translations": TranscriptionHandler(gateway, bodies, to_english=True),
    }
    return [
        *(Route(path, {"POST": handler}, shape, works=True, protected=True) for path, handler in paths.items()),
        Route("/v1/chat/completions", {"POST": chat}, shape, works=True, protected=True),
        Route(
            "/v1/embeddings", {"POST": EmbeddingHandler(parts.gateway, parts.bodies, OpenAIEmbeddings())}, shape, works=True, protected=True
        ),
    ]
