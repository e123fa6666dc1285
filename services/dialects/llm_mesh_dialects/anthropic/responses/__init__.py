"""Whole answers: a provider's body to the typed payload, and the typed payload to a client's body."""

from llm_mesh_dialects.anthropic.responses.reading import message_into_output, message_to_output
from llm_mesh_dialects.anthropic.responses.writing import count_to_body, output_to_message

__all__ = ["count_to_body", "message_into_output", "message_to_output", "output_to_message"]
