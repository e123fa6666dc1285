"""Revisions of a store that only tests have."""
