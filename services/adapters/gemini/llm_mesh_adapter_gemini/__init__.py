"""Speaks the Gemini dialect to model providers."""
