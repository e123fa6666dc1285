"""Whole answers: a provider's body to the typed payload, and the typed payload to a client's body."""

from llm_mesh_dialects.anthropic.responses.reading import message_to_output
from llm_mesh_dialects.anthropic.responses.writing import output_to_message

__all__ = ["message_to_output", "output_to_message"]
