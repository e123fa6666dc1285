"""How much an effort makes a model think."""

from collections.abc import Mapping
from typing import Final

from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.fields import RequestFields

_EFFORTS: Final[Mapping[str, int]] = {"none": 0, "minimal": 8, "low": 16, "medium": 64, "high": 128, "xhigh": 256, "max": 512}


def effort_tokens(owner: RequestFields, key: str) -> int:
    """The tokens of reasoning that the effort under a key asks for."""
    effort = owner.text_or(key)
    if effort is None:
        return 0
    if effort not in _EFFORTS:
        known = ", ".join(f"'{each}'" for each in _EFFORTS)
        message = f"Invalid value: '{effort}'. Supported values are: {known}."
        raise RefusedError(message, param=owner.path(key), code="invalid_value")
    return _EFFORTS[effort]
