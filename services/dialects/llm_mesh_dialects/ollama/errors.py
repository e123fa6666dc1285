"""What a server says of a failure: `{"error": "…"}`, in a body or in a line of a stream."""

from __future__ import annotations

from llm_mesh_dialects.loose import loose_text


def complaint(body: object) -> str:
    """Its words; empty where it is no failure."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):  # of servers that take after another dialect
        error = error.get("message")
    return loose_text(error)
