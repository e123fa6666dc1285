"""Whole bodies: JSON of the dialect, or the failure that they tell of; and requests that the dialect cannot say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from llm_mesh_adapter_gemini.provider.failures import of_complaint
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import extra_not_allowed, malformed, media_address_not_allowed
from llm_mesh_dialects.addresses import MediaRule
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance
from llm_mesh_dialects.errors import CostlyError, DialectError, MediaAddressError
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.gemini import errors
from llm_mesh_dialects.loose import loose_parsed, mended
from llm_mesh_runtime.errors import invalid

T = TypeVar("T")


def allowance_at(endpoint: Endpoint) -> Allowance:
    """What the operator lets through at the endpoint."""
    if not endpoint.extras and not endpoint.media:
        return NOTHING_MORE  # as nearly everywhere
    return Allowance(endpoint.extras, MediaRule(endpoint.media))


def translated(translate: Callable[[], T]) -> T:
    """A typed payload that the dialect cannot say is the caller's mistake."""
    try:
        return translate()
    except CostlyError as error:
        raise extra_not_allowed(f"input.{error.field}", error.name, error.expected) from None
    except MediaAddressError as error:
        raise media_address_not_allowed(f"input.{error.field}", error.expected) from None
    except DialectError as error:
        raise invalid(f"input.{error.field}", error.expected, sent="false") from None


def understood(endpoint: Endpoint, translate: Callable[[], T]) -> T:
    """What an answer means; PROVIDER_MALFORMED where it is none of the dialect."""
    try:
        return translate()
    except DialectError as error:
        raise malformed(endpoint.name, str(error)) from None


def answered_by(endpoint: Endpoint, body: bytes) -> dict[str, Any]:
    """The object that a body is; proxies hide errors behind a 200."""
    parsed_body = understood(endpoint, lambda: mended(loose_parsed(body)))
    if errors.is_complaint(parsed_body):
        raise of_complaint(endpoint.name, parsed_body)
    return understood(endpoint, lambda: Fields(parsed_body).whole_object())
