"""Who may call what: the access stage of the pipeline, and how links find out which service calls."""

from llm_mesh_runtime.access.identity import MeshOrigin, PublicOrigin, client_keys
from llm_mesh_runtime.access.stage import AccessStage
from llm_mesh_runtime.access.table import CallTable
from llm_mesh_runtime.access.tokens import ServiceTokens

__all__ = ["AccessStage", "CallTable", "MeshOrigin", "PublicOrigin", "ServiceTokens", "client_keys"]
