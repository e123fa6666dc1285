"""Generated from the contracts: llm_mesh.batches.v1."""
