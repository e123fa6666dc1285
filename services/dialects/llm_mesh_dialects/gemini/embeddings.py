"""Embeddings: `:batchEmbedContents` of the Gemini API; at Vertex `:predict`, or `:embedContent` and its batch for Gemini's own models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.gemini.allowed import TABLE
from llm_mesh_dialects.gemini.usage import usage_in
from llm_mesh_dialects.gemini.vocabulary import DIALECT
from llm_mesh_dialects.loose import bounded_sum, loose_count
from llm_mesh_dialects.openai.vectors import number_of
from llm_mesh_dialects.report import Report

_INSTANCE: Final = {"taskType": "task_type", "title": "title"}
"""What Vertex has at each text, under a name of its own."""
_PARAMETER: Final = ("autoTruncate", "outputDimensionality")

Written = tuple[dict[str, Any], list[generate_pb2.Translation]]


def input_to_batch(request: embed_pb2.EmbedInput, *, model: str, allowance: Allowance = NOTHING_MORE) -> Written:
    """The body of `:batchEmbedContents`."""
    options, report = _options(request, allowance)
    requests = [{"model": f"models/{model}", "content": {"role": "user", "parts": [{"text": text}]}, **options} for text in _texts(request)]
    return {"requests": requests}, report.translations


def input_to_predict(request: embed_pb2.EmbedInput, *, allowance: Allowance = NOTHING_MORE) -> Written:
    """The body of `:predict`."""
    options, report = _options(request, allowance)
    at_each = {_INSTANCE[key]: value for key, value in options.items() if key in _INSTANCE}
    body: dict[str, Any] = {"instances": [{"content": text, **at_each} for text in _texts(request)]}
    if parameters := {key: options[key] for key in _PARAMETER if key in options}:
        body["parameters"] = parameters
    return body, report.translations


def input_to_contents(request: embed_pb2.EmbedInput, *, allowance: Allowance = NOTHING_MORE) -> Written:
    """The body of Vertex' `:embedContent` for one text, and of its `:batchEmbedContents` for several."""
    options, report = _options(request, allowance)
    config = {"embedContentConfig": options} if options else {}
    requests = [{"content": {"role": "user", "parts": [{"text": text}]}, **config} for text in _texts(request)]
    return (requests[0] if len(requests) == 1 else {"requests": requests}), report.translations


def body_to_output(body: dict[str, Any], vectors: Sequence[bytes]) -> tuple[embed_pb2.EmbedOutput, list[bytes]]:
    """A provider's body, whose vectors `VectorText` has taken out, to the typed payload without vectors; and these in their order."""
    fields = Fields(body)
    result = embed_pb2.EmbedOutput()
    used = usage_in(fields)
    if fields.peek("predictions") is not None:
        embedded = [each.required("embeddings") for each in fields.each("predictions")]
        used = used or _counted(embedded)
    elif fields.peek("embedding") is not None:
        embedded = [fields.required("embedding")]
    else:
        embedded = list(fields.each("embeddings"))
    if used is not None:
        result.usage.CopyFrom(used)
    result.extras.extend(as_extras(DIALECT, fields.rest()))
    return result, [vectors[_number(each)] for each in embedded]


def _texts(request: embed_pb2.EmbedInput) -> list[str]:
    for index, item in enumerate(request.items):
        if item.WhichOneof("kind") != "text":
            raise DialectError(f"items[{index}].tokens", "expected a text: the provider takes no token ids")
    return [item.text for item in request.items]


def _options(request: embed_pb2.EmbedInput, allowance: Allowance) -> tuple[dict[str, Any], Report]:
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    options: dict[str, Any] = {}
    if request.dimensions:
        options["outputDimensionality"] = request.dimensions
    if request.end_user:
        report.dropped("end_user", "the provider takes no id of users")
    put_back(options, request.extras, DIALECT, report, place="embedding.")
    return options, report


def _number(embedded: Fields) -> int:
    number = number_of(embedded.raw("values"))
    if number is None:
        raise embedded.wrong("values", "required: expected a list of numbers")
    return number


def _counted(embedded: Sequence[Fields]) -> generate_pb2.Usage | None:
    """Vertex counts at each vector."""
    counts = [loose_count(each.required("statistics").raw("token_count")) for each in embedded if isinstance(each.peek("statistics"), dict)]
    known = [count for count in counts if count is not None]
    return generate_pb2.Usage(input_tokens=bounded_sum(known)) if len(known) == len(embedded) and known else None
