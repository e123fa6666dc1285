"""Revisions of the schema of models and adapters."""
