"""Endpoints that platform administrators add to the registry, within the bounds of the adapter's operator (ADR 50)."""
