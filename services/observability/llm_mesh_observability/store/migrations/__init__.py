"""Revisions of the schema of the projection."""
