"""Streams: a provider's chunks to typed events, and typed events to a client's chunks."""

from llm_mesh_dialects.gemini.streams.frames import ArrayFrames, EventFrames
from llm_mesh_dialects.gemini.streams.reading import GeminiChunkReader
from llm_mesh_dialects.gemini.streams.writing import GeminiChunkWriter

__all__ = ["ArrayFrames", "EventFrames", "GeminiChunkReader", "GeminiChunkWriter"]
