"""Google's dialect over HTTP. The dialect itself is in llm_mesh_dialects."""

from llm_mesh_edge.http.google import models
from llm_mesh_edge.http.google.failures import shape

__all__ = ["models", "shape"]
