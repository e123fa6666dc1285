"""The command line of LLM Mesh: a client of the public contracts, and the way to start services."""
