"""Whole bodies of answers: JSON of the dialect, or the failure that they tell of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import malformed
from llm_mesh_adapter_openai.provider.failures import of_complaint
from llm_mesh_dialects import openai
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.loose import loose_parsed, mended

T = TypeVar("T")


def understood(endpoint: Endpoint, translate: Callable[[], T]) -> T:
    """What an answer means; PROVIDER_MALFORMED where it is none of the dialect."""
    try:
        return translate()
    except DialectError as error:
        raise malformed(endpoint.name, str(error)) from None


def answered_by(endpoint: Endpoint, body: bytes) -> Any:  # noqa: ANN401 (JSON)
    """The JSON of an answer."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            parsed = mended(loose_parsed(body))
        except DialectError:
            raise malformed(endpoint.name, "what is not JSON") from None
    if openai.errors.is_complaint(parsed):
        raise of_complaint(endpoint.name, openai.errors.complaint(parsed))
    return parsed
