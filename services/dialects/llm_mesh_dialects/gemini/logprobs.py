"""Log-probabilities, between the dialect and the typed payload: the chosen and the likeliest ones are lists of their own."""

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


def write_logprobs(tokens: Any) -> dict[str, Any]:  # noqa: ANN401 (a repeated field)
    """The `logprobsResult` of tokens; empty where there are none."""
    if not tokens:
        return {}
    written: dict[str, Any] = {"chosenCandidates": [_entry(each) for each in tokens]}
    if any(each.top for each in tokens):
        written["topCandidates"] = [{"candidates": [_entry(other) for other in each.top]} for each in tokens]
    return written


def _entry(each: generate_pb2.TokenLogprob) -> dict[str, Any]:
    return {"token": each.token, "logProbability": each.logprob}


def _one(fields: Fields) -> generate_pb2.TokenLogprob:
    text: Any = fields.text("token") or ""
    return generate_pb2.TokenLogprob(token=text, logprob=fields.number("logProbability") or 0.0, utf8=text.encode())
