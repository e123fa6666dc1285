"""Requests: from a client's body to the typed payload, and from it to a provider's."""

from llm_mesh_dialects.gemini.requests.layout import PartPlace, planned_messages, planned_tools
from llm_mesh_dialects.gemini.requests.reading import ReadRequest, body_into_input, count_to_input
from llm_mesh_dialects.gemini.requests.writing import WrittenBody, input_to_body, input_to_count

__all__ = [
    "PartPlace",
    "ReadRequest",
    "WrittenBody",
    "body_into_input",
    "count_to_input",
    "input_to_body",
    "input_to_count",
    "planned_messages",
    "planned_tools",
]
