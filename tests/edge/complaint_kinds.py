"""What a dialect brings to the test of its complaints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llm_mesh.inference.v1 import generate_pb2

Read = Callable[[Any], object]
"""Reads a body, or the parts of a stream; raises `DialectError` where it is wrong."""
Write = Callable[[Any], object]
"""Writes a typed request in a provider's dialect; raises likewise."""
WrittenRequest = tuple[str, dict[str, Any], Callable[[generate_pb2.GenerateInput], object]]
"""A client's request that a provider's dialect cannot say: the client's dialect, its body, and what writes the provider's."""
TypedRequest = tuple[Any, Write]
"""A request of a client over gRPC, and what writes the provider's."""


def saying(*parts: dict[str, Any]) -> dict[str, Any]:
    """A user's message."""
    return {"role": "user", "content": list(parts)}
