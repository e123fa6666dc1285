"""Generated from the contracts: llm_mesh.observability.v1."""
