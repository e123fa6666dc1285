"""Generated from the contracts: llm_mesh.policy.v1."""
