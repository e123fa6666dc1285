"""Ends watches when the process drains: they would otherwise hold it for the whole grace, and their readers reconnect.

A watch is a method whose name begins with `Watch` or `Tail`.
"""

from __future__ import annotations

import asyncio

from llm_mesh_runtime.pipeline.methods import Method

_WATCHES = ("Watch", "Tail")


def is_watch(method: Method) -> bool:
    """Whether the method streams until somebody ends it."""
    return method.response_streaming and method.name.startswith(_WATCHES)


class Drain:
    """Knows the running watches of a process."""

    def __init__(self) -> None:
        self.begun = False
        self._watches: set[asyncio.Task[object]] = set()

    def enter(self) -> None:
        """The current task is a watch."""
        task = asyncio.current_task()
        if task is not None:
            self._watches.add(task)
            task.add_done_callback(self._watches.discard)

    def begin(self) -> None:
        """End all watches; whoever watches afterwards is refused."""
        self.begun = True
        for task in tuple(self._watches):
            task.cancel()
