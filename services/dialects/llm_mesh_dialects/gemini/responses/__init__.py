"""Answers of the dialect, to the typed payload."""

from llm_mesh_dialects.gemini.responses.blocking import block_of
from llm_mesh_dialects.gemini.responses.reading import body_into_output, body_to_output

__all__ = ["block_of", "body_into_output", "body_to_output"]
