"""Cache hints, from the typed payload to the dialect, which knows two durations."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.anthropic.vocabulary import LONG_TTL, SHORT_TTL
from llm_mesh_dialects.report import Report


def hint(target: dict[str, Any], hinted: content_pb2.Part | content_pb2.Tool, path: str, report: Report) -> None:
    """Writes the hint of a part or a tool."""
    if not hinted.HasField("cache_hint"):
        return
    control = {"type": "ephemeral"}
    seconds = hinted.cache_hint.ttl_seconds
    if seconds:
        control["ttl"] = "5m" if seconds <= SHORT_TTL else "1h"
        if seconds not in {SHORT_TTL, LONG_TTL}:
            report.approximated(f"{path}cache_hint.ttl_seconds", "the provider caches for 5 minutes or an hour")
    target["cache_control"] = control
