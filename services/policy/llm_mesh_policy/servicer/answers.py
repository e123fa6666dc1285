"""What every servicer of policy takes and answers."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    Context = ServicerContext[Any, Any]

T = TypeVar("T")
Answer = Coroutine[Any, Any, T]
