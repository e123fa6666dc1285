"""Generated from the contracts: llm_mesh.inference.v1."""
