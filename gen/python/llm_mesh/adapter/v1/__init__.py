"""Generated from the contracts: llm_mesh.adapter.v1."""
