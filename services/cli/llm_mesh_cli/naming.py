"""Gives models that are registered in bulk their names: ids of aliases, none taken twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from llm_mesh.registry.v1 import registry_pb2

SHARED = "domains/shared"
_LONGEST_ALIAS = 128
_LONGEST_ID = 63
_DIGEST = 6


def named(offered: Sequence[registry_pb2.Model], registered: Sequence[registry_pb2.Model]) -> list[registry_pb2.Model]:
    """The wanted models that are not registered in `domains/shared`, with names. An alias that is taken gets its endpoint before it."""
    known = {(model.endpoint, model.upstream_model) for model in registered}
    names, aliases = {model.name for model in registered}, {model.alias for model in registered}
    named_models = []
    for model in offered:
        if (model.endpoint, model.upstream_model) in known:
            continue
        if model.alias in aliases:
            model.alias = f"{model.endpoint}/{model.alias}"[:_LONGEST_ALIAS]
        identity = identity_of(model.alias)
        while f"{SHARED}/models/{identity}" in names or model.alias in aliases:
            digest = hashlib.sha256(f"{model.endpoint} {model.upstream_model} {identity}".encode()).hexdigest()[:_DIGEST]
            identity = f"{identity[: _LONGEST_ID - _DIGEST - 1]}-{digest}"
            model.alias = model.alias if model.alias not in aliases else f"{model.alias[: _LONGEST_ALIAS - _DIGEST - 1]}-{digest}"
        model.name = f"{SHARED}/models/{identity}"
        if "*" not in model.shared_with:
            model.shared_with.append("*")
        known.add((model.endpoint, model.upstream_model))
        names.add(model.name)
        aliases.add(model.alias)
        named_models.append(model)
    return named_models


def identity_of(alias: str) -> str:
    """A resource id of an alias: `gpt-4.1` is `gpt-4-1`."""
    words = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in alias.lower())
    return words.strip("-")[:_LONGEST_ID] or "model"
