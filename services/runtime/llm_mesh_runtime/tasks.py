"""Background work that is never lost: named tasks with an owner, and work that cancellation does not interrupt."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any, TypeVar

from llm_mesh_runtime.context import FRAME

T = TypeVar("T")


class TaskSet:
    """Tasks that end with their owner. They start in an empty context: no request's deadline binds them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Run `work`. A failure is logged, since nobody awaits it."""
        task = asyncio.get_running_loop().create_task(work, name=name, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def join(self) -> None:
        """Wait until all tasks have ended by themselves."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Cancel what still runs and wait for its end."""
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log("background task failed", error, task=task.get_name())


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """Finish `work` even though the caller is cancelled meanwhile or its deadline passes; then raise the cancellation."""
    context = contextvars.copy_context()
    frame = FRAME.get()
    if frame is not None:
        context.run(FRAME.set, frame.detached())
    task = asyncio.get_running_loop().create_task(work, context=context)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            _log("work shielded from cancellation failed", failure)
        raise cancelled
    return task.result()


def _log(event: str, error: BaseException, **details: str) -> None:
    from llm_mesh_runtime.log import get_logger  # noqa: PLC0415 - only loaded once something fails

    get_logger().error(event, exc_info=error, **details)
