"""Moderations: texts, or texts and images together, to categories of harm."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2, moderate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.allowed import TABLE
from llm_mesh_dialects.openai.parts_writing import PartsWriter, plain_text
from llm_mesh_dialects.openai.quirks import OPENAI
from llm_mesh_dialects.openai.usage import read_usage
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.report import Report


def input_to_body(
    request: moderate_pb2.ModerateInput, *, model: str, allowance: Allowance = NOTHING_MORE
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The typed payload to a provider's body. The dialect has many texts, or one item of several parts."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    texts = [plain_text(item.parts[0]) if len(item.parts) == 1 else None for item in request.items]
    plain = [text for text in texts if text is not None]
    if len(plain) == len(texts):
        content: Any = plain
    elif len(texts) == 1:
        content = PartsWriter(OPENAI, report).listed(list(enumerate(request.items[0].parts)), "items[0].")
    else:
        raise DialectError("items", "expected items of one text each, or one item: the provider takes no list of mixed items")
    if request.end_user:
        report.dropped("end_user", "the provider takes no user with a moderation")
    body: dict[str, Any] = {"model": model, "input": content}
    put_back(body, request.extras, DIALECT, report, place="moderation.")
    return body, report.translations


def body_into_output(body: object, request: moderate_pb2.ModerateInput, output: moderate_pb2.ModerateOutput) -> None:
    """A provider's answer to the typed payload."""
    fields = Fields(body)
    output.id = fields.text("id") or ""
    output.model = fields.text("model") or ""
    for result in fields.each("results"):
        _result(result, output.results.add())
    if len(output.results) != len(request.items):
        raise DialectError("results", f"expected one for each of {len(request.items)} items")
    if isinstance(usage := fields.raw("usage"), dict):
        output.usage.CopyFrom(read_usage(usage, OPENAI))
    output.extras.extend(as_extras(DIALECT, fields.rest()))


def _result(fields: Fields, result: moderate_pb2.ModerateResult) -> None:
    flagged = fields.truth("flagged")
    flags, scores = fields.required("categories"), fields.inner("category_scores") or Fields({})
    applied = fields.inner("category_applied_input_types") or Fields({})
    for name in flags.whole_object():
        category = result.categories.add(name=name, flagged=bool(flags.truth(name)), modalities=applied.texts(name))
        score = scores.number(name)
        if score is not None:
            category.score = score
    result.flagged = any(each.flagged for each in result.categories) if flagged is None else flagged  # Mistral does not say
    result.extras.extend(as_extras(DIALECT, fields.rest()))
