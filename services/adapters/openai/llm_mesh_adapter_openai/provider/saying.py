"""What all requests to providers of the dialect have in common: where they go, and what becomes of a payload that cannot be said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import extra_not_allowed, media_address_not_allowed
from llm_mesh_adapter_kit.model_paths import in_path
from llm_mesh_adapter_openai.provider.rows import OpenAIProvider
from llm_mesh_dialects.addresses import MediaRule
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance
from llm_mesh_dialects.errors import CostlyError, DialectError, MediaAddressError
from llm_mesh_runtime.errors import MeshError, invalid

T = TypeVar("T")


def allowance_of(endpoint: Endpoint) -> Allowance:
    """What the operator lets through at the endpoint."""
    if not endpoint.extras and not endpoint.media:
        return NOTHING_MORE  # as nearly everywhere
    return Allowance(endpoint.extras, MediaRule(endpoint.media))


def path_of(row: OpenAIProvider, model: str, path: str) -> str:
    """Where a method is, below the address of a provider."""
    if not row.api_version:
        return path
    version = urlencode({"api-version": row.api_version})
    return f"/openai/deployments/{in_path(model)}{path}?{version}" if model else f"/openai{path}?{version}"


def sayable(translate: Callable[[], T]) -> T:
    """A translation of a request; what the dialect cannot say is the caller's mistake."""
    try:
        return translate()
    except DialectError as error:
        raise not_sayable(error) from None


def not_sayable(error: DialectError) -> MeshError:
    """A typed payload that the dialect cannot say is the caller's mistake."""
    if isinstance(error, CostlyError):
        return extra_not_allowed(f"input.{error.field}", error.name, error.expected)
    if isinstance(error, MediaAddressError):
        return media_address_not_allowed(f"input.{error.field}", error.expected)
    return invalid(f"input.{error.field}", error.expected, sent="false")
