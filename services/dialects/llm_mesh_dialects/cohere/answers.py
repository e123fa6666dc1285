"""What whole answers and events have in common: log-probabilities, and what a provider says of a failure."""

from __future__ import annotations

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.fields import Fields, a_number
from llm_mesh_dialects.loose import loose_text


def logprob(piece: Fields) -> generate_pb2.TokenLogprob:
    """One piece of text. It may be several tokens, whose probabilities it has together."""
    place = piece.at("logprobs")
    values = [a_number(value, place) for value in piece.items("logprobs") if isinstance(value, int | float) and not isinstance(value, bool)]
    return generate_pb2.TokenLogprob(token=piece.text("text") or "", logprob=sum(values))


def complaint(body: object) -> str:
    """The words of `{"message": "…"}`; empty where it is none."""
    if not isinstance(body, dict):
        return ""
    return loose_text(body.get("message")) or loose_text(body.get("error"))
