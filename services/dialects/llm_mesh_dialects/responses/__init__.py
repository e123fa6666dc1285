"""OpenAI's Responses: requests, answers and streams, from and to the typed payload. Chat completions are the dialect `openai`."""

from llm_mesh_dialects.responses import answers, requests, streams, tools_writing
from llm_mesh_dialects.responses.bodies_reading import body_into_input, places_of
from llm_mesh_dialects.responses.events_of_answers import events_of
from llm_mesh_dialects.responses.events_writing import ResponseFacts, ResponseWriter
from llm_mesh_dialects.responses.vocabulary import DIALECT

__all__ = [
    "DIALECT",
    "ResponseFacts",
    "ResponseWriter",
    "answers",
    "body_into_input",
    "events_of",
    "places_of",
    "requests",
    "streams",
    "tools_writing",
]
