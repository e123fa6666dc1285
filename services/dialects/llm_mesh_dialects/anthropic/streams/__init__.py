"""Streamed answers: a provider's events to typed ones, and typed events to a client's."""

from llm_mesh_dialects.anthropic.streams.reading import EventReader
from llm_mesh_dialects.anthropic.streams.writing import EventWriter

__all__ = ["EventReader", "EventWriter"]
