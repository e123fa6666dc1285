"""Whole answers: a provider's body to the typed payload, and the typed payload to a client's body."""

from llm_mesh_dialects.openai.responses.reading import chat_into_output, chat_to_output
from llm_mesh_dialects.openai.responses.writing import output_to_chat

__all__ = ["chat_into_output", "chat_to_output", "output_to_chat"]
