"""The Gemini dialect, of the Gemini API and of Vertex: from the typed payload to providers, and from their answers to it."""

from llm_mesh_dialects.gemini import embeddings, errors, requests, responses, streams
from llm_mesh_dialects.gemini.vocabulary import DIALECT

__all__ = ["DIALECT", "embeddings", "errors", "requests", "responses", "streams"]
