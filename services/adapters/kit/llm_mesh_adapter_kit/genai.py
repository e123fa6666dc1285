"""What is measured of calls to models: duration, time to the first chunk, tokens. What they cost policy counts, which charges them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_mesh_adapter_kit import genai_names as names
from llm_mesh_runtime.telemetry.metrics import TOKENS, Metrics
from llm_mesh_runtime.telemetry.semantics import ERROR_TYPE
from llm_mesh_runtime.telemetry.trace import Span, span

_MODEL = (names.OPERATION, names.PROVIDER, names.REQUEST_MODEL)


class GenAi:
    """The GenAI metrics of one host, and the span of a call to a provider."""

    def __init__(self, metrics: Metrics) -> None:
        self._duration = metrics.histogram(
            names.CLIENT_DURATION, "Duration of calls to providers; error.type is empty where they succeeded.", (*_MODEL, ERROR_TYPE)
        )
        self._first_chunk = metrics.histogram(names.CLIENT_FIRST_CHUNK, "Time to the first chunk of a streamed answer.", _MODEL)
        self._tokens = metrics.histogram(
            names.CLIENT_TOKENS, "Tokens per call, as billed.", (*_MODEL, names.TOKEN_TYPE), unit="{token}", buckets=TOKENS
        )

    def call(self, operation: str, provider: str, model: str, attributes: Mapping[str, Any] | None = None) -> Span:
        """The client span of one call to a provider, as the conventions name it. Make the call inside."""
        of_call = {names.OPERATION: operation, names.PROVIDER: provider, names.REQUEST_MODEL: model, **(attributes or {})}
        return span(f"{operation} {model}", of_call, client=True)

    def ended(self, operation: str, provider: str, model: str, *, seconds: float, error_type: str = "") -> None:
        """A call to a provider has ended."""
        self._duration.labels(operation, provider, model, error_type).observe(seconds)

    def first_chunk(self, operation: str, provider: str, model: str, seconds: float) -> None:
        """The first chunk has arrived."""
        self._first_chunk.labels(operation, provider, model).observe(seconds)

    def used(self, operation: str, provider: str, model: str, *, input_tokens: int, output_tokens: int) -> None:
        """The tokens that a call used, as the provider bills them."""
        self._tokens.labels(operation, provider, model, names.INPUT).observe(input_tokens)
        self._tokens.labels(operation, provider, model, names.OUTPUT).observe(output_tokens)
