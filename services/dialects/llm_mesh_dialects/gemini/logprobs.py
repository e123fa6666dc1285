"""Log-probabilities, from the dialect to the typed payload: those that were chosen and those that were likeliest are lists of their own."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.fields import Fields


def read_logprobs(candidate: Fields) -> list[generate_pb2.TokenLogprob]:
    """Those of a candidate's text, as far as they came."""
    if not isinstance(candidate.peek("logprobsResult"), dict):
        return []
    result = candidate.required("logprobsResult")
    tops = [list(each.each("candidates")) for each in result.each("topCandidates")]
    chosen = [_one(each) for each in result.each("chosenCandidates")]
    for place, token in enumerate(chosen[: len(tops)]):
        token.top.extend(_one(each) for each in tops[place])
    return chosen


def _one(fields: Fields) -> generate_pb2.TokenLogprob:
    text: Any = fields.text("token") or ""
    return generate_pb2.TokenLogprob(token=text, logprob=fields.number("logProbability") or 0.0, utf8=text.encode())
