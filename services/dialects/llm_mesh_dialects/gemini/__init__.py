"""The Gemini dialect, of the Gemini API and of Vertex: from and to the typed payload, for clients and for providers."""

from llm_mesh_dialects.gemini import embedding_requests, embeddings, errors, models, requests, responses, streams
from llm_mesh_dialects.gemini.vocabulary import DIALECT

__all__ = ["DIALECT", "embedding_requests", "embeddings", "errors", "models", "requests", "responses", "streams"]
