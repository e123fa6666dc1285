"""Keeps files, and works off batches of requests."""
