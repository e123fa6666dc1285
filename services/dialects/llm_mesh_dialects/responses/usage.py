"""Usage, which says the same as that of chat completions under other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.openai.quirks import OPENAI
from llm_mesh_dialects.openai.tiers import TIER, served_tier
from llm_mesh_dialects.openai.usage import read_usage_into

_NAMES: Final[Mapping[str, str]] = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}


def read_usage(response: Mapping[str, Any]) -> generate_pb2.Usage | None:
    """What a response reports, and the tier that served it; None where it reports nothing."""
    usage = response.get("usage")
    if not isinstance(usage, dict):
        return None
    used = generate_pb2.Usage()
    read_usage_into(used, {_NAMES.get(key, key): value for key, value in usage.items()}, OPENAI)
    if (tier := response.get(TIER)) is not None:
        used.service_tier = served_tier(tier)
    return used
