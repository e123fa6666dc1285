"""Paths that several dialects have, and those that none has: a header that only one dialect's clients send tells who asks.

Anthropic demands `anthropic-version`; Google's SDKs send `x-goog-api-key` and `x-goog-api-client`.
"""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.http import anthropic, google, openai
from llm_mesh_edge.http.app import Handler, Route
from llm_mesh_edge.http.exchange import HttpExchange, ProblemError
from llm_mesh_edge.http.models import ModelsForm

_GOOGLE = frozenset({b"x-goog-api-key", b"x-goog-api-client"})


def dialect_of(headers: Headers) -> ModuleType:
    """The dialect that the client speaks."""
    if headers.get(b"anthropic-version"):
        return anthropic
    return google if headers.any_of(_GOOGLE) else openai


def models_form(headers: Headers) -> ModelsForm:
    """How that dialect tells models."""
    form: ModelsForm = dialect_of(headers).models
    return form


def for_clients_of(dialect: ModuleType, route: Route) -> Route:
    """The route, absent for clients of other dialects: theirs has the path for things of its own, which they would take these for."""

    def guarded(handler: Handler) -> Handler:
        async def handle(exchange: HttpExchange) -> None:
            if dialect_of(exchange.headers) is not dialect:
                raise ProblemError(Failure(404, "not_found", "this path is served to clients of OpenAI alone"))
            await handler(exchange)

        return handle

    return replace(route, methods={name: guarded(handler) for name, handler in route.methods.items()}, shape=shape)


def shape(failure: Failure, headers: Headers) -> object:
    """The body of a failure."""
    answer: object = dialect_of(headers).shape(failure, headers)
    return answer
