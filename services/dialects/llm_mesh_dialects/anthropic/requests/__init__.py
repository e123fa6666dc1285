"""Requests for messages: a client's body to the typed payload, and the typed payload to a provider's body."""

from llm_mesh_dialects.anthropic.requests.reading import messages_into_input, messages_to_input
from llm_mesh_dialects.anthropic.requests.writing import input_to_count, input_to_messages

__all__ = ["input_to_count", "input_to_messages", "messages_into_input", "messages_to_input"]
