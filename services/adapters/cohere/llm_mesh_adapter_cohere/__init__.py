"""Speaks the Cohere dialect to model providers."""
