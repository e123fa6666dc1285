"""Moderations as clients of the dialect ask for them. `moderations` has the provider's side."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, moderate_pb2
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.parts_reading import content
from llm_mesh_dialects.openai.vocabulary import DIALECT

_DEFAULT: Final = "omni-moderation-latest"
"""The model that the dialect has where a client names none."""
_EXPECTED: Final = "required: expected a text, a list of texts, or a list of parts"


def body_to_input(body: dict[str, Any]) -> moderate_pb2.ModerateInput:
    """A client's body to the typed payload: each text is an item, a list of parts is one."""
    fields = Fields(body)
    request = moderate_pb2.ModerateInput(model=fields.text("model") or _DEFAULT, source_dialect=DIALECT)
    value = fields.raw("input")
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not value:
        raise fields.wrong("input", _EXPECTED)
    if all(isinstance(each, str) for each in value):
        for each in value:
            request.items.add().parts.add(text=content_pb2.Text(text=each))
    else:
        request.items.add(parts=content(fields, "input"))
    request.extras.extend(as_extras(DIALECT, fields.rest()))
    return request


def output_to_body(output: moderate_pb2.ModerateOutput, *, id: str = "") -> dict[str, Any]:  # noqa: A002 (the dialect's name)
    """The typed payload to a client's body. `id` is what the answer is called where the provider did not name it."""
    body: dict[str, Any] = {"id": output.id or id, "model": output.model, "results": [_result(each) for each in output.results]}
    put_back(body, output.extras, DIALECT)
    return body


def _result(result: moderate_pb2.ModerateResult) -> dict[str, Any]:
    categories = result.categories[:]
    written: dict[str, Any] = {
        "flagged": result.flagged,
        "categories": {each.name: each.flagged for each in categories},
        "category_scores": {each.name: each.score for each in categories if each.HasField("score")},
        "category_applied_input_types": {each.name: list(each.modalities) for each in categories},
    }
    put_back(written, result.extras, DIALECT)
    return written
