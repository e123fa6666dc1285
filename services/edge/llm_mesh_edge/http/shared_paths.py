"""Paths that several dialects have, and those that none has: `anthropic-version`, which Anthropic demands, tells who asks."""

from __future__ import annotations

from types import ModuleType

from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.http import anthropic, openai


def dialect_of(headers: Headers) -> ModuleType:
    """The dialect that the client speaks."""
    return anthropic if headers.get(b"anthropic-version") else openai


def shape(failure: Failure, headers: Headers) -> object:
    """The body of a failure."""
    answer: object = dialect_of(headers).shape(failure, headers)
    return answer
