"""How tokens are chosen, and how many: the dialect's `options`."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.allowing import ABSENT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed
from llm_mesh_dialects.ollama.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_SAME: Final = frozenset({"temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed"})
_TYPED: Final = _SAME | {"num_predict", "stop"}
OPTIONS: Final = "options"


def options(request: generate_pb2.GenerateInput, limit: int, report: Report) -> dict[str, Any]:
    """The options of a request. Typed fields win over extras, also where they are unset."""
    made: dict[str, Any] = {}
    for field, value in request.sampling.ListFields():
        if field.name in _SAME:
            made[field.name] = value
        else:
            report.dropped(f"sampling.{field.name}", "tokens cannot be biased")
    if limit:
        made["num_predict"] = limit
    if request.stop:
        made["stop"] = list(request.stop)
    for extra in request.extras:
        if extra.dialect == DIALECT and extra.key == OPTIONS:
            made |= _more(extra, report)
    return made


def _more(extra: content_pb2.Extra, report: Report) -> dict[str, Any]:
    """Options that the typed payload does not model, each by its own rule."""
    field = f"extras[{DIALECT}.{OPTIONS}]"
    values = parsed(extra.json, field)
    if not isinstance(values, dict):
        raise DialectError(field, "expected a JSON object")
    judged: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{field}.{name}"
        if name in _TYPED:
            report.dropped(path, "the typed payload has a field for it")
            continue
        passed = value if report.gate is None else report.gate.judged(f"{OPTIONS}.{name}", value, path)
        if passed is not ABSENT:
            judged[name] = passed
    return judged
