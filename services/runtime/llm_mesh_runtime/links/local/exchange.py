"""One local call, seen from the server: the context that the pipeline gets, and the state that the client's call reads.

The handler's task refers to the exchange, never to the client's call object: so a call that its client abandons is
collected, and cancels the handler.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import grpc

from llm_mesh_runtime.links.local.pipe import Pipe, PipeClosedError
from llm_mesh_runtime.pipeline.transport import Own

if TYPE_CHECKING:
    from llm_mesh_runtime.context import Frame
    from llm_mesh_runtime.links.local.deadlines import CallDeadlines, DeadlineWatch
    from llm_mesh_runtime.pipeline import Origin, Wrapped

Metadata = tuple[tuple[str, str | bytes], ...]
_DEADLINE = "Deadline Exceeded"

_OK = grpc.StatusCode.OK


class Serving(Protocol):
    """What the server keeps of the calls that it serves."""

    running: set[CallState]
    deadlines: CallDeadlines


class CallState(Own):
    """State of one call. `code` is None while it runs."""

    __slots__ = (
        "_began",
        "_callbacks",
        "_deadline",
        "_running",
        "_task",
        "_waiters",
        "_watched",
        "code",
        "details",
        "frame",
        "initial",
        "locally_cancelled",
        "loop",
        "requests",
        "response",
        "responses",
        "trailing",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, deadline: float | None, frame: Frame | None) -> None:
        self.loop = loop
        self.frame = frame
        """What its handler knows of it; None where that runs elsewhere."""
        self.code: grpc.StatusCode | None = None
        self.details = ""
        self.initial: Metadata | None = None
        self.trailing: Metadata = ()
        self.locally_cancelled = False
        self.response: bytes | None = None
        self.requests: Pipe | None = None
        self.responses: Pipe | None = None
        self._deadline = deadline
        self._task: asyncio.Task[None] | None = None
        self._watched: DeadlineWatch | None = None
        self._waiters: list[asyncio.Future[None]] | None = None
        self._callbacks: list[Callable[[], None]] | None = None
        self._running: set[CallState] | None = None
        self._began = False

    # ---- life

    def start(self, wrapped: Wrapped, first: bytes | AsyncIterator[bytes], origin: Origin, server: Serving) -> None:
        """Run the handler in a task of its own, in an empty context. The server's `running` keeps it alive meanwhile."""
        if self._deadline is not None and self._watched is None:
            self._watched = server.deadlines.watch(self, self._deadline, self.loop)
        if self.code is not None:
            return
        # By its class: the loop's own way makes up a name and reads the options twice, a quarter of what a task costs.
        work, name = self._run(wrapped, first, origin), wrapped.method.path
        self._task = asyncio.Task(work, loop=self.loop, name=name, context=contextvars.Context())
        self._running = server.running
        self._running.add(self)

    def guarded(self, deadlines: CallDeadlines) -> bool:
        """Watch the deadline, once. False where it has passed."""
        if self._deadline is not None and self._watched is None:
            self._watched = deadlines.watch(self, self._deadline, self.loop)
        return self.code is None

    async def _run(self, wrapped: Wrapped, first: bytes | AsyncIterator[bytes], origin: Origin) -> None:
        self._began = True
        try:
            self.response = await wrapped.invoke(first, self, origin)
            code = _OK
        except grpc.aio.AbortError:
            return
        except asyncio.CancelledError:
            self.finish(grpc.StatusCode.CANCELLED, "the handler was cancelled")
            raise
        except PipeClosedError:
            return  # the client is gone; the call has its status
        except BaseException:
            self.finish(grpc.StatusCode.UNKNOWN, "the pipeline failed")
            raise
        finally:
            self._task = None
            if self._running is not None:
                self._running.discard(self)
        self.finish(code, "")

    def expire(self) -> None:
        """Its time is up."""
        self.finish(grpc.StatusCode.DEADLINE_EXCEEDED, _DEADLINE)

    def finish(self, code: grpc.StatusCode, details: str) -> None:
        """Fix the status, once, and stop the handler if it still runs. What it has written before can still be read."""
        if self.code is not None:
            return
        self.code = code
        self.details = details
        if self.initial is None:
            self.initial = ()
        if self._watched is not None:
            self._watched.discard(self)
            self._watched = None
        if self.requests is not None or self.responses is not None:
            self._close()
        if self._task is not None:
            self._stop(self._task)
        if self._waiters is not None:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters = None
        if self._callbacks is not None:
            self._call_back(self._callbacks)

    def _close(self) -> None:
        if self.requests is not None:
            self.requests.discard()
        if self.responses is not None:
            self.responses.close()

    def _call_back(self, callbacks: list[Callable[[], None]]) -> None:
        for callback in callbacks:
            self.loop.call_soon(callback)

    def _stop(self, handler: asyncio.Task[None]) -> None:
        handler.cancel()
        if not self._began:
            self._forget()

    def _forget(self) -> None:
        if self._running is not None:
            self._running.discard(self)

    def cancel(self) -> bool:
        """The client cancels."""
        if self.code is not None:
            return False
        self.locally_cancelled = True
        self.finish(grpc.StatusCode.CANCELLED, "Locally cancelled by application!")
        if self.responses is not None:
            self.responses.discard()
        return True

    def terminate(self) -> None:
        """The server goes away under the call."""
        self.finish(grpc.StatusCode.UNAVAILABLE, "the service has shut down")
        self._forget()

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call `callback` soon after the end."""
        if self.code is not None:
            self.loop.call_soon(callback)
        elif self._callbacks is None:
            self._callbacks = [callback]
        else:
            self._callbacks.append(callback)

    async def started(self) -> None:
        """Wait for the initial metadata."""
        while self.initial is None:
            await self.waiter()

    async def ended(self) -> None:
        """Wait for the status."""
        while self.code is None:
            await self.waiter()

    def waiter(self) -> asyncio.Future[None]:
        """A future that is done at the next change: the initial metadata, or the end."""
        waiter: asyncio.Future[None] = self.loop.create_future()
        if self._waiters is None:
            self._waiters = [waiter]
        else:
            self._waiters.append(waiter)
        return waiter

    def _wake(self) -> None:
        if self._waiters is not None:
            waiters, self._waiters = self._waiters, None
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    # ---- the transport that the pipeline sees

    def invocation_metadata(self) -> Metadata:
        """What the client sent, as far as it may be believed."""
        return () if self.frame is None else tuple(self.frame.metadata.items())

    def time_remaining(self) -> float | None:
        """Seconds until the deadline; None without one."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def peer(self) -> str:
        """Who calls, for logs."""
        return "local:" if self.frame is None else f"local:{self.frame.calling}"

    def auth_context(self) -> Mapping[str, Any]:
        """Nothing: the link itself knows its caller."""
        return {}

    async def send_initial_metadata(self, initial_metadata: Any) -> None:  # noqa: ANN401 - grpc's metadata type
        """Send the initial metadata now."""
        if self.initial is not None:
            raise grpc.aio.UsageError("Send initial metadata failed: already sent")
        self.initial = tuple(initial_metadata)
        self._wake()

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:  # noqa: ANN401 - grpc's metadata type
        """Set what is sent with the status."""
        self.trailing = tuple(trailing_metadata)

    def trailing_metadata(self) -> Metadata:
        """What is set so far."""
        return self.trailing

    async def write(self, message: bytes) -> None:
        """Send one message of the answer."""
        responses = self.responses
        if responses is None:
            raise grpc.aio.UsageError("the method does not stream its answer")
        if self.initial is None:
            self.initial = ()
            self._wake()
        try:
            if not responses.put(message):
                await responses.room()
        except PipeClosedError:
            raise asyncio.CancelledError from None  # as gRPC cancels the handler of a call that is over

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()) -> NoReturn:  # noqa: ANN401
        """End the call with a status."""
        if trailing_metadata:
            self.trailing = tuple(trailing_metadata)
        self._task = None  # it ends by itself, by what is raised here
        self.finish(code, details)
        raise grpc.aio.AbortError("Locally aborted.")

    def set_code(self, code: grpc.StatusCode) -> None:
        """Generated servicers call it before they raise; the exception says more."""

    def set_details(self, details: str) -> None:
        """Set the status message that the caller receives."""

    def cancelled(self) -> bool:
        """Whether the call was cancelled."""
        return self.code is grpc.StatusCode.CANCELLED

    def done(self) -> bool:
        """Whether the call is over."""
        return self.code is not None
