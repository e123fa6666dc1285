"""Answers: from a provider's to the typed payload, and from it to a client's."""

from llm_mesh_dialects.gemini.responses.blocking import block_of
from llm_mesh_dialects.gemini.responses.reading import body_into_output, body_to_output
from llm_mesh_dialects.gemini.responses.writing import blocked_to_body, count_to_body, output_to_body

__all__ = ["block_of", "blocked_to_body", "body_into_output", "body_to_output", "count_to_body", "output_to_body"]
