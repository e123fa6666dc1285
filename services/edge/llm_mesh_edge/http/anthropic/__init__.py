"""The Anthropic dialect over HTTP. The dialect itself is in llm_mesh_dialects."""

from llm_mesh_edge.http.anthropic import models
from llm_mesh_edge.http.anthropic.failures import shape

__all__ = ["models", "shape"]
