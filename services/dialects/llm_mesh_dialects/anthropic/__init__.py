"""The Anthropic dialect: messages and token counts, from and to the typed payload, for clients and for providers."""

from llm_mesh_dialects.anthropic import errors, models, quirks, requests, responses, streams
from llm_mesh_dialects.anthropic.quirks import AnthropicQuirks
from llm_mesh_dialects.anthropic.vocabulary import DIALECT

__all__ = ["DIALECT", "AnthropicQuirks", "errors", "models", "quirks", "requests", "responses", "streams"]
