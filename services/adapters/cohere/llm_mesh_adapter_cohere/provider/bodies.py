"""Bodies of answers, and what is in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from llm_mesh_adapter_kit.errors import malformed
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.loose import loose_parsed, mended

T = TypeVar("T")


def understood(endpoint: str, translate: Callable[[], T]) -> T:
    """What an answer means; PROVIDER_MALFORMED where it is none of the dialect."""
    try:
        return translate()
    except DialectError as error:
        raise malformed(endpoint, str(error)) from None


def answered_by(endpoint: str, body: bytes) -> object:
    """The JSON of an answer, or of one event."""
    return understood(endpoint, lambda: mended(loose_parsed(body)))
