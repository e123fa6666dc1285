"""What becomes of a payload that the dialect cannot say: the caller's mistake, named by its field."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import extra_not_allowed, media_address_not_allowed
from llm_mesh_dialects.addresses import MediaRule
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance
from llm_mesh_dialects.errors import CostlyError, DialectError, MediaAddressError
from llm_mesh_runtime.errors import invalid

T = TypeVar("T")


def allowance_of(endpoint: Endpoint) -> Allowance:
    """What the operator lets through at the endpoint."""
    return Allowance(endpoint.extras, MediaRule(endpoint.media)) if endpoint.extras or endpoint.media else NOTHING_MORE


def sayable(translate: Callable[[], T]) -> T:
    """A translation of a request."""
    try:
        return translate()
    except CostlyError as error:
        raise extra_not_allowed(f"input.{error.field}", error.name, error.expected) from None
    except MediaAddressError as error:
        raise media_address_not_allowed(f"input.{error.field}", error.expected) from None
    except DialectError as error:
        raise invalid(f"input.{error.field}", error.expected, sent="false") from None
