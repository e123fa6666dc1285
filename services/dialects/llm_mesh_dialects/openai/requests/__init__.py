"""Requests for chat completions: a client's body to the typed payload, and the typed payload to a provider's body."""

from llm_mesh_dialects.openai.requests.names_writing import shorten_tool_names
from llm_mesh_dialects.openai.requests.reading import chat_into_input, chat_to_input
from llm_mesh_dialects.openai.requests.writing import input_to_chat

__all__ = ["chat_into_input", "chat_to_input", "input_to_chat", "shorten_tool_names"]
