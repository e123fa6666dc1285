"""Failures in OpenAI's shape, with the names that fields have in requests for responses."""

from __future__ import annotations

import re

from llm_mesh_dialects.openai import errors
from llm_mesh_edge.domain.failures import Failure, named, spoken
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.http.openai.failures import code_of, extras_of, type_of

_NAMES = {
    "input.messages": "input",
    "input.logprobs.top": "top_logprobs",
    "input.tool_choice.name": "tool_choice.name",
    "input.response_format.json_schema.schema_json": "text.format.schema",
    "input.response_format.json_schema": "text.format",
    "input.response_format": "text.format",
    "input.end_user": "safety_identifier",
}
_PARAMETERS = re.compile(r"^(tools\[\d+\])(?:\.function)?(\.[a-z_]+?)?(?:_json|\.opaque\.json)?$")


def param_of(failure: Failure) -> str | None:
    """The field that is wrong."""
    return _PARAMETERS.sub(r"\1\2", named(failure.param, _NAMES)) or None


def shape(failure: Failure, headers: Headers) -> object:
    """The body."""
    del headers
    param = param_of(failure)
    return errors.body(spoken(failure, param or ""), type=type_of(failure), code=code_of(failure), param=param, extras=extras_of(failure))
