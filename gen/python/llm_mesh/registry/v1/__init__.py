"""Generated from the contracts: llm_mesh.registry.v1."""
