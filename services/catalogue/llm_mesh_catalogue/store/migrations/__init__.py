"""Revisions of the schema of prompts."""
