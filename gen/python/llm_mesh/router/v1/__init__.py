"""Generated from the contracts: llm_mesh.router.v1."""
