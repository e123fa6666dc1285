"""OpenAI's Responses: requests, answers and streams, from and to the typed payload. Chat completions are the dialect `openai`."""

from llm_mesh_dialects.responses import answers, requests, streams, tools_writing
from llm_mesh_dialects.responses.vocabulary import DIALECT

__all__ = ["DIALECT", "answers", "requests", "streams", "tools_writing"]
