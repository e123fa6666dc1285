"""Reads lists to their end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

Answer = TypeVar("Answer")
_SIZE = 500


async def pages(method: Callable[..., Awaitable[Answer]], request: Any, *, timeout: float = 30) -> AsyncIterator[Answer]:  # noqa: ANN401, ASYNC109 (any list request; gRPC's own timeout)
    """All pages of a list."""
    request.page_size = _SIZE
    while True:
        answer: Any = await method(request, timeout=timeout)
        yield answer
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token
