"""Speaks the Bedrock dialect to model providers."""
