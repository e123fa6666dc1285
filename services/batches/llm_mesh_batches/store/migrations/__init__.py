"""Revisions of the schema of entries."""
