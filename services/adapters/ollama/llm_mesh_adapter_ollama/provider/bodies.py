"""Whole bodies of answers: JSON of the dialect, or the failure that they tell of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from llm_mesh_adapter_kit.errors import malformed
from llm_mesh_adapter_ollama.provider.failures import of_line
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.loose import loose_parsed, mended
from llm_mesh_dialects.ollama.errors import complaint

T = TypeVar("T")


def understood(endpoint: str, translate: Callable[[], T]) -> T:
    """What an answer means; PROVIDER_MALFORMED where it is none of the dialect."""
    try:
        return translate()
    except DialectError as error:
        raise malformed(endpoint, str(error)) from None


def answered_by(endpoint: str, body: bytes) -> object:
    """The JSON of an answer, or of one line of it."""
    answer = understood(endpoint, lambda: mended(loose_parsed(body)))
    if words := complaint(answer):
        raise of_line(endpoint, words)
    return answer
