"""Speaks the OpenAI dialect to model providers."""
