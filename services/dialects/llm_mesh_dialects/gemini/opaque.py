"""Parts and tools that only the dialect itself models. Theirs is no key `type`: the key that they consist of is their type."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.allowing import ABSENT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed
from llm_mesh_dialects.report import Report

_MODELLED: Final = frozenset(
    {"text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse", "functionDeclarations"}
)


def whole(part: content_pb2.OpaquePart, place: str, report: Report, field: str) -> Any:  # noqa: ANN401 (JSON)
    """What an opaque part or tool is, or ABSENT where the report's gate keeps it here. Each of its keys is judged."""
    value = parsed(part.json, f"{field}.json")
    if not isinstance(value, dict) or not value:
        raise DialectError(f"{field}.json", "expected a JSON object with a key")
    gate = report.gate
    if gate is None:
        return value
    if modelled := sorted(value.keys() & _MODELLED):
        raise DialectError(f"{field}.json", f"expected no {modelled[0]}: the typed payload has a field for it")
    passed_on = {
        key: judged for key, inner in value.items() if (judged := gate.judged(f"{place}{key}", inner, f"{field}.{key}")) is not ABSENT
    }
    return passed_on or ABSENT
