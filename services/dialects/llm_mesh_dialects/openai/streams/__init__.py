"""Streamed answers: a provider's chunks to typed events, and typed events to a client's chunks."""

from llm_mesh_dialects.openai.streams.reading import ChunkReader
from llm_mesh_dialects.openai.streams.writing import ChunkWriter

__all__ = ["ChunkReader", "ChunkWriter"]
