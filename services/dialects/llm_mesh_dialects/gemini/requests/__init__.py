"""Requests of the dialect, from the typed payload."""

from llm_mesh_dialects.gemini.requests.writing import input_to_body, input_to_count

__all__ = ["input_to_body", "input_to_count"]
