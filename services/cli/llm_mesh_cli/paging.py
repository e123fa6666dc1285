"""Reads lists to their end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

Answer = TypeVar("Answer")
_SIZE = 500


async def pages(
    method: Callable[..., Awaitable[Answer]],
    request: Any,  # noqa: ANN401 (any list request)
    *,
    timeout: float = 30,  # noqa: ASYNC109 (gRPC's own)
    metadata: Sequence[tuple[str, str]] = (),
) -> AsyncIterator[Answer]:
    """All pages of a list."""
    request.page_size = _SIZE
    while True:
        answer: Any = await method(request, timeout=timeout, metadata=metadata)
        yield answer
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token
