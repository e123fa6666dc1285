"""The list of models in the OpenAI dialect: each named behaviour is a model."""

from collections.abc import Iterable
from typing import Final

_CREATED: Final = 1735689600


def model(identity: str) -> dict[str, object]:
    return {"id": identity, "object": "model", "created": _CREATED, "owned_by": "llm-mesh-simulator"}


def models(identities: Iterable[str]) -> dict[str, object]:
    """All models; OpenAI does not page them."""
    return {"object": "list", "data": [model(each) for each in identities]}
