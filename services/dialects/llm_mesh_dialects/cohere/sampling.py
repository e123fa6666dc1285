"""How tokens are chosen, within the ranges that the provider takes."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.report import Report


class SamplingKey(NamedTuple):
    """The dialect's key for a typed field, and the values that it takes."""

    name: str
    least: float
    most: float


_KEYS: Final = {
    "temperature": SamplingKey("temperature", 0, 2),
    "top_p": SamplingKey("p", 0.01, 0.99),
    "top_k": SamplingKey("k", 0, 500),
    "frequency_penalty": SamplingKey("frequency_penalty", 0, 1),
    "presence_penalty": SamplingKey("presence_penalty", 0, 1),
    "seed": SamplingKey("seed", 0, 2**63 - 1),
}
_MOST_STOPS: Final = 5


def sample(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report) -> None:
    """Writes the sampling parameters and stop sequences. What is out of range becomes the nearest value."""
    for field, value in request.sampling.ListFields():
        key = _KEYS.get(field.name)
        if key is None:
            report.dropped(f"sampling.{field.name}", "tokens cannot be biased")
            continue
        fitting = min(max(value, key.least), key.most)
        if fitting != value:
            report.approximated(f"sampling.{field.name}", f"the provider takes {key.least:g} to {key.most:g}")
            fitting = type(value)(fitting)
        body[key.name] = fitting
    if request.stop:
        body["stop_sequences"] = list(request.stop[:_MOST_STOPS])
    if len(request.stop) > _MOST_STOPS:
        report.approximated("stop", f"the provider takes {_MOST_STOPS} sequences: the first ones are sent")


def think(body: dict[str, Any], reasoning: generate_pb2.ReasoningOptions, report: Report) -> None:
    """Writes `thinking`."""
    if reasoning.effort == "none":
        body["thinking"] = {"type": "disabled"}
    elif reasoning.budget_tokens:
        body["thinking"] = {"type": "enabled", "token_budget": reasoning.budget_tokens}
    elif reasoning.effort:
        body["thinking"] = {"type": "enabled"}
        report.approximated("reasoning.effort", "the model takes a number of tokens, not an effort: it thinks as long as it will")
