"""Speaks the Ollama dialect to model providers."""
