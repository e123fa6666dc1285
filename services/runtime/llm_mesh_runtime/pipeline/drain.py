"""Two reasons for which a call ends although its caller still waits: the server's own deadline, and the process's drain.

Watches (methods named `Watch…` or `Tail…`) end when the process drains: they would otherwise hold it for the whole grace,
and their readers reconnect elsewhere.
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
        self._begun = False
        self._watches: set[asyncio.Task[object]] = set()

    def enter(self) -> bool:
        """The current task is a watch. False once the process drains."""
        task = asyncio.current_task()
        if self._begun or task is None:
            return False
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)
        return True

    def begin(self) -> None:
        """End all watches; whoever watches afterwards is refused."""
        self._begun = True
        for task in tuple(self._watches):
            task.cancel()

    def ended(self) -> bool:
        """Whether the present cancellation of a watch is ours; it is taken back then, so that the call can be answered."""
        return self._begun and _taken_back(asyncio.current_task())


class Expiry:
    """The server's own deadline for a call that came without one: cancels the current task."""

    __slots__ = ("_fired", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._fired = False
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._fire)

    def fired(self) -> bool:
        """Whether the present cancellation is ours; it is taken back then, so that the call can be answered."""
        return self._fired and _taken_back(self._task)

    def stop(self) -> None:
        """The call has ended in time."""
        self._timer.cancel()
        self._task = None

    def _fire(self) -> None:
        self._fired = True
        if self._task is not None:
            self._task.cancel()


def _taken_back(task: asyncio.Task[object] | None) -> bool:
    if task is not None:
        task.uncancel()
    return True
