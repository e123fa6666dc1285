"""Requests: from a client's body to the typed payload, and from it to a provider's."""

from llm_mesh_dialects.gemini.requests.layout import planned_messages, planned_tools
from llm_mesh_dialects.gemini.requests.reading import ReadRequest, body_into_input, count_into_input
from llm_mesh_dialects.gemini.requests.writing import WrittenBody, input_to_body, input_to_count

__all__ = [
    "ReadRequest",
    "WrittenBody",
    "body_into_input",
    "count_into_input",
    "input_to_body",
    "input_to_count",
    "planned_messages",
    "planned_tools",
]
