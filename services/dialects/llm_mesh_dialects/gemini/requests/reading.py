"""From a client's body of `:generateContent`, `:streamGenerateContent` or `:countTokens` to the typed payload.

Each key is either modelled or kept as an extra; nothing is lost. Complaints name the deep path, as the client spells it. The model is named
by the path of the request; a body that names one, too, must name the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras
from llm_mesh_dialects.gemini.proto_fields import ProtoFields
from llm_mesh_dialects.gemini.requests.contents_reading import messages
from llm_mesh_dialects.gemini.requests.generation_reading import read_generation
from llm_mesh_dialects.gemini.requests.tools_reading import read_tools
from llm_mesh_dialects.gemini.spelling import normalised, spelled
from llm_mesh_dialects.gemini.vocabulary import DIALECT

_WRAPPED: Final = "generateContentRequest"
MODELS: Final = "models/"


class ReadRequest(NamedTuple):
    """What a body says beside the typed payload."""

    shows_thoughts: bool
    """Whether the client wants to see what the model thought."""


def body_into_input(result: generate_pb2.GenerateInput, body: dict[str, Any], *, model: str) -> ReadRequest:
    """Reads a request into a message that is there already, and empty; raises `DialectError` where the body is wrong."""
    read: ReadRequest = read_spelled(body, lambda fields: _read(result, fields, model))
    return read


def count_to_input(body: dict[str, Any], *, model: str) -> generate_pb2.GenerateInput:
    """The typed payload of a count, whose request may stand in an object of its own."""
    result = generate_pb2.GenerateInput()
    read_spelled(body, lambda fields: _count(result, fields, model))
    return result


def read_spelled(body: dict[str, Any], read: Callable[[ProtoFields], Any]) -> Any:  # noqa: ANN401 (what `read` makes)
    """What is read of a body, whose fields may be spelled in both forms. Complaints name them as the body does."""
    try:
        return read(ProtoFields(normalised(body)))
    except DialectError as error:
        raise DialectError(spelled(error.field, body), error.expected) from None


def check_model(fields: ProtoFields, model: str) -> None:
    """Refuses a body that names another model than the path of the request."""
    named = fields.text("model")
    if named and named.removeprefix(MODELS) != model:
        raise fields.wrong("model", "expected the model that the path names")


def _read(result: generate_pb2.GenerateInput, fields: ProtoFields, model: str) -> ReadRequest:
    check_model(fields, model)
    result.model, result.source_dialect, result.include_usage = model, DIALECT, True
    result.messages.extend(messages(fields))
    left = read_tools(fields, result)
    generation, shows_thoughts = read_generation(fields, result)
    result.extras.extend(as_extras(DIALECT, fields.present() | left | generation))
    return ReadRequest(shows_thoughts)


def _count(result: generate_pb2.GenerateInput, fields: ProtoFields, model: str) -> None:
    wrapped = fields.inner(_WRAPPED)
    if wrapped is not None and fields.raw("contents") is not None:
        raise fields.wrong("contents", f"expected either contents or {_WRAPPED}")
    _read(result, fields if wrapped is None else wrapped, model)
