"""Cache hints: most servers of the dialect cache by themselves, a few take `cache_control`."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.quirks import OpenAIQuirks
from llm_mesh_dialects.report import Report

_HOUR = 3600
_SECONDS = {"": 0, "5m": 300, "1h": _HOUR}


def read_hint(target: content_pb2.Part | content_pb2.Tool, fields: Fields) -> None:
    """Reads `cache_control` of a part or tool, in the form in which Anthropic has it. One of another form stays an extra."""
    control = fields.peek("cache_control")
    if not isinstance(control, dict) or control.get("type") != "ephemeral" or control.keys() - {"type", "ttl"}:
        return
    ttl = control.get("ttl", "")
    if not isinstance(ttl, str) or ttl not in _SECONDS:
        return
    fields.raw("cache_control")
    target.cache_hint.ttl_seconds = _SECONDS[ttl]


def hint(target: dict[str, Any], hinted: content_pb2.Part | content_pb2.Tool, path: str, quirks: OpenAIQuirks, report: Report) -> None:
    """Writes the hint of a part or tool, or reports that there is no place for it."""
    if not hinted.HasField("cache_hint"):
        return
    if not quirks.cache_control:
        report.dropped(f"{path}cache_hint", "the provider caches prefixes by itself")
        return
    control = {"type": "ephemeral"}
    if hinted.cache_hint.ttl_seconds >= _HOUR:
        control["ttl"] = "1h"
    target["cache_control"] = control
