"""The OpenAI dialect over HTTP. The dialect itself is in llm_mesh_dialects."""

from llm_mesh_edge.http.openai import models
from llm_mesh_edge.http.openai.failures import shape

__all__ = ["models", "shape"]
