"""What the provider bills, which is less than what it counts: its own instructions to the model, for one, cost nothing.

The typed figures are the billed ones. What was counted, and how much of that came from the provider's cache, are extras of the usage.
"""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.cohere.vocabulary import DIALECT
from llm_mesh_dialects.extras import as_extras
from llm_mesh_dialects.loose import loose_count


def read_usage(reported: object) -> generate_pb2.Usage | None:
    """From `usage` of a chat or `meta` of other answers. None where there are no figures."""
    values: dict[str, Any] = reported if isinstance(reported, dict) else {}
    billed, counted = values.get("billed_units"), values.get("tokens")
    figures = billed if isinstance(billed, dict) else counted
    if not isinstance(figures, dict):
        return None
    used = generate_pb2.Usage(
        input_tokens=loose_count(figures.get("input_tokens")) or 0,
        output_tokens=loose_count(figures.get("output_tokens")) or 0,
        search_units=loose_count(figures.get("search_units")) or 0,
        image_input_tokens=loose_count(figures.get("image_tokens")) or 0,
    )
    apart = {key: values[key] for key in ("tokens", "cached_tokens") if values.get(key) is not None}
    rest = {key: value for key, value in figures.items() if key not in _READ and value}
    if figures is billed and rest:
        apart["billed_units"] = rest
    used.extras.extend(as_extras(DIALECT, apart))
    return used


_READ = frozenset({"input_tokens", "output_tokens", "search_units", "image_tokens"})
