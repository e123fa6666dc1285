"""Revisions of the schema of stored content."""
