"""The classes of errors that a provider can have, and what every caller is told, whichever adapter is between."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProviderFailure:
    """One class."""

    name: str
    script: str
    """How the simulator is made to fail so."""
    reason: str
    stream: bool = False


ERRORS = (
    ProviderFailure("the request is wrong (400)", "sim-400", "PROVIDER_REJECTED"),
    ProviderFailure("the prompt is too long", "sim-context-length", "CONTEXT_EXCEEDED"),
    ProviderFailure("the key is wrong (401)", "sim-401", "PROVIDER_UNAUTHENTICATED"),
    ProviderFailure("the key may not (403)", "sim-403", "PROVIDER_UNAUTHENTICATED"),
    ProviderFailure("no such model (404)", "sim-404", "PROVIDER_MODEL_NOT_FOUND"),
    ProviderFailure("too many requests (429)", "sim-429", "PROVIDER_RATE_LIMITED"),
    ProviderFailure("no credit is left (429)", "sim-quota", "PROVIDER_RATE_LIMITED"),
    ProviderFailure("the provider fails (500)", "sim-500", "PROVIDER_ERROR"),
    ProviderFailure("the provider is overloaded (503)", "sim-503", "PROVIDER_ERROR"),
    ProviderFailure("a proxy's page (502)", "sim-html", "PROVIDER_ERROR"),
    ProviderFailure("the connection is reset", "sim-reset", "PROVIDER_RESET"),
    ProviderFailure("the connection closes", "sim-hangup", "PROVIDER_RESET"),
    ProviderFailure("no HTTP", "sim-not-http", "PROVIDER_RESET"),
    ProviderFailure("no JSON", "sim-malformed", "PROVIDER_MALFORMED"),
    ProviderFailure("an empty answer", "sim-empty", "PROVIDER_MALFORMED"),
    ProviderFailure("a stream is reset", "sim-mid-reset", "ANSWER_INTERRUPTED", stream=True),
    ProviderFailure("a stream tells an error", "sim-mid-error", "ANSWER_INTERRUPTED", stream=True),
    ProviderFailure("a stream breaks off", "sim-truncate", "ANSWER_INTERRUPTED", stream=True),
)


def error_model(edge: str, error: ProviderFailure) -> str:
    """The name of the model that fails so."""
    return f"{error.script}-{edge}"


def error_script(edge: str, error: ProviderFailure) -> str:
    """What the provider knows it by: another for each edge, since failures in a row close one to all callers."""
    return f"{error.script}/tokens:{100 + sum(edge.encode())}"
