"""Streams of the dialect, to typed events."""

from llm_mesh_dialects.gemini.streams.reading import GeminiChunkReader

__all__ = ["GeminiChunkReader"]
