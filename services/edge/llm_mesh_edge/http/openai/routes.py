"""The paths of OpenAI's dialect."""

from __future__ import annotations

from llm_mesh_edge.http import openai
from llm_mesh_edge.http.app import Handler, Route
from llm_mesh_edge.http.embedding import EmbeddingHandler
from llm_mesh_edge.http.generation import GenerationHandler
from llm_mesh_edge.http.openai.batches import PATH as BATCHES
from llm_mesh_edge.http.openai.batches import BatchesHandler
from llm_mesh_edge.http.openai.chat import Chat
from llm_mesh_edge.http.openai.embeddings import OpenAIEmbeddings
from llm_mesh_edge.http.openai.failures import shape
from llm_mesh_edge.http.openai.files import PATH as FILES
from llm_mesh_edge.http.openai.files import FilesHandler
from llm_mesh_edge.http.openai.images import ImageEdits, Images
from llm_mesh_edge.http.openai.moderations import Moderations
from llm_mesh_edge.http.openai.speech import SpeechHandler
from llm_mesh_edge.http.openai.transcriptions import TranscriptionHandler
from llm_mesh_edge.http.openai.uploads import UploadHandler
from llm_mesh_edge.http.parts import EdgeParts
from llm_mesh_edge.http.shared_paths import for_clients_of
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
        *_files_and_batches(parts),
        Route("/v1/chat/completions", {"POST": chat}, shape, works=True, protected=True),
        Route(
            "/v1/embeddings", {"POST": EmbeddingHandler(parts.gateway, parts.bodies, OpenAIEmbeddings())}, shape, works=True, protected=True
        ),
    ]


def _files_and_batches(parts: EdgeParts) -> list[Route]:
    """Absent where the edge has no link to the service."""
    if parts.batches is None:
        return []
    files, batches = FilesHandler(parts.batches, parts.bodies), BatchesHandler(parts.batches, parts.bodies)
    routes = [
        Route(FILES, {"GET": files.all, "POST": UploadHandler(parts.batches, parts.settings)}, shape, works=True, protected=True),
        Route(f"{FILES}/*", {"GET": files.one, "DELETE": files.delete}, shape, protected=True),
        Route(f"{FILES}/*/content", {"GET": files.content}, shape, works=True, protected=True),
        Route(BATCHES, {"GET": batches.all, "POST": batches.create}, shape, protected=True),
        Route(f"{BATCHES}/*", {"GET": batches.one}, shape, protected=True),
        Route(f"{BATCHES}/*/cancel", {"POST": batches.cancel}, shape, protected=True),
    ]
    return [for_clients_of(openai, route) for route in routes]
