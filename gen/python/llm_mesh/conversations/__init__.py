"""Generated from the contracts: llm_mesh.conversations."""
