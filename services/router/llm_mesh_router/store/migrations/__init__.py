"""Revisions of the schema of routes."""
