"""Generated from the contracts: llm_mesh.mesh.v1."""
