"""Parts and tools that only the dialect itself models. Theirs is no key `type`: the key that they consist of is their type."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.allowing import ABSENT, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed
from llm_mesh_dialects.report import Report

_MODELLED: Final = frozenset(
    {"text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse", "functionDeclarations"}
)

_ADDRESSES: Final = frozenset({"fileUri", "file_uri"})
"""The key with the address of a file in both spellings that the provider reads."""


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
    _check_addresses(passed_on, gate, f"{field}.json")
    return passed_on or ABSENT


def _check_addresses(value: object, gate: Gate, field: str) -> None:
    """Addresses of files anywhere inside, as of those that stand in a part of their own. Nesting is bounded before it comes here."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _ADDRESSES and inner is not None:
                if not isinstance(inner, str):
                    raise DialectError(f"{field}.{key}", "expected a string")
                gate.address(inner, f"{field}.{key}")
            _check_addresses(inner, gate, f"{field}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_addresses(inner, gate, f"{field}[{index}]")
