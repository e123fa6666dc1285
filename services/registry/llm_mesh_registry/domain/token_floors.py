"""By how many tokens requests are reserved and estimated at least: what operators declare, and models of domains cannot lower."""

from __future__ import annotations

from collections.abc import Iterable

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.terms import HIDING

BOUNDS = ("image_tokens", "audio_tokens", "file_tokens", "audio_seconds", "context_window")
"""Figures of a model by which requests are reserved. One that is 0 is the strictest: it refuses, or counts the whole window."""


def least_bounds(models: Iterable[registry_pb2.Model]) -> registry_pb2.TokenFloor:
    """What an operator's models of one upstream declare at least, each bound by itself."""
    floor = registry_pb2.TokenFloor()
    models = list(models)
    for bound in BOUNDS:
        setattr(floor, bound, min((figure for model in models if (figure := getattr(model, bound))), default=0))
    if models:
        floor.hidden_output.extend(sorted(HIDING.intersection(*(model.capabilities for model in models))))
    return floor


def below(model: registry_pb2.Model, endpoint: registry_pb2.Endpoint) -> dict[str, str]:
    """Why bounds of a model are too low, by field. A model that may be free costs nothing, whatever it counts."""
    if endpoint.free_allowed:
        return {}
    floor = endpoint.token_floor
    return {
        bound: f"{bound} of models of {model.upstream_model} at {endpoint.name} are at least {getattr(floor, bound)}"
        for bound in BOUNDS
        if 0 < getattr(model, bound) < getattr(floor, bound)
    }


def raise_to(model: registry_pb2.Model, endpoint: registry_pb2.Endpoint) -> None:
    """Gives the model the least bounds, and the capabilities that it hides output by, in place."""
    for bound in below(model, endpoint):
        setattr(model, bound, getattr(endpoint.token_floor, bound))
    if not endpoint.free_allowed:
        model.capabilities.extend(each for each in endpoint.token_floor.hidden_output if each not in model.capabilities)
