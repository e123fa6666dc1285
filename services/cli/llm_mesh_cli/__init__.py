"""The command line of LLM Mesh."""
