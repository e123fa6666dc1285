"""Speaks the Anthropic dialect to model providers."""
