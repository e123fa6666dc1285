"""Takes answers through policy's screening before anybody sees them, streamed and whole by the same way.

Text is handed over at once while policy owes no verdict. While one is on its way, what comes is gathered until it is there, for at
most 20 ms or 512 bytes: so a slow stream waits for nothing, and a quick one costs few pieces. Whatever goes wrong releases nothing
more: policy refuses the rest, breaks off, or answers what it was not asked.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, policy_pb2
from llm_mesh_gateway.domain.errors import GatewayError, screening_failed
from llm_mesh_gateway.domain.findings import Findings
from llm_mesh_gateway.domain.operation import Operation
from llm_mesh_gateway.domain.ports import Piece, Policy, Release, ScreenSession
from llm_mesh_gateway.domain.transforms.chain import AnswerContext, Translations
from llm_mesh_gateway.domain.transforms.order import TextRun
from llm_mesh_gateway.domain.transforms.texts import AnswerTexts
from llm_mesh_runtime.errors import MeshError

T = TypeVar("T")

_PIECE = 512
_SECONDS = 0.02
_MOST_UNSCREENED = 64 * 1024
_CHUNK = 16 * 1024


class ScreeningTransform:
    """Carries out `screen_output`."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def narrow(self, operation: Operation) -> Translations:
        """Log-probabilities spell the text out before it is screened."""
        return operation.without_logprobs("the answer is screened")

    @asynccontextmanager
    async def begin(self, obligation: admission_pb2.Obligation, context: AnswerContext, release: Release) -> AsyncIterator[Release]:
        """One answer."""
        async with Screening(self._policy, context.admission, obligation.screen_output.state, release, context.findings) as screening:
            yield screening.accept


class Screening:
    """One answer under screening. One task writes to policy, one reads; a failure of either ends the request."""

    def __init__(self, policy: Policy, admission: resources_pb2.Sealed, state: bytes, release: Release, findings: Findings) -> None:
        self._policy = policy
        self._admission = admission
        self._state = state
        self._findings = findings
        self._texts = AnswerTexts(release, _unreadable)
        self._outgoing: deque[policy_pb2.ScreenText] = deque()
        self._unscreened = 0
        self._unanswered = 0
        """Pieces that policy has not answered yet."""
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._read_all = asyncio.Event()
        self._ending = False
        self._timer: asyncio.TimerHandle | None = None
        self._tasks = asyncio.TaskGroup()
        self._running: list[asyncio.Task[None]] = []
        self._session: ScreenSession | None = None

    async def __aenter__(self) -> Self:
        """Open the stream to policy."""
        try:
            self._session = await self._policy.screen(self._admission, self._state)
        except MeshError as failure:
            raise screening_failed("screening did not begin", cause=failure.reason_name) from failure
        await self._tasks.__aenter__()
        self._running = [
            self._tasks.create_task(self._write(self._session), name="screening writes"),
            self._tasks.create_task(self._read(self._session), name="screening reads"),
        ]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop, and say why where screening itself is to blame."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._running:
            task.cancel()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            _raise_first(group)
        finally:
            if self._session is not None:
                self._session.cancel()

    async def accept(self, piece: Piece) -> None:
        """Take a piece; what policy has released by now goes out."""
        self._texts.add(piece)
        if piece.report is None:
            self._hand_over(all_of_it=False)
            await self._texts.let_go()
            await self._wait_for_room()
        else:
            await self._finish()
            await self._texts.let_go()

    async def _finish(self) -> None:
        self._hand_over(all_of_it=True)
        self._ending = True
        self._wake.set()
        await self._read_all.wait()
        if not self._texts.complete:
            raise screening_failed("screening ended early")

    def _hand_over(self, *, all_of_it: bool) -> None:
        """Send everything while policy owes no verdict; else runs that are full or closed, and the others when their time is up."""
        all_of_it = all_of_it or not self._unanswered
        for run in list(self._texts.changed):
            if all_of_it or run.closed or run.size >= _PIECE:
                del self._texts.changed[run]
                self._send(run)
        if self._texts.changed and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SECONDS, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self._hand_over(all_of_it=True)

    def _send(self, run: TextRun) -> None:
        self._unscreened += run.size
        for piece in run.pieces(_CHUNK):
            self._unanswered += 1
            self._outgoing.append(piece)
        self._wake.set()

    async def _wait_for_room(self) -> None:
        while self._unscreened > _MOST_UNSCREENED:
            self._room.clear()
            await self._room.wait()

    async def _write(self, session: ScreenSession) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outgoing:
                text = self._outgoing.popleft()
                await _screening(session.write(text))
                self._unscreened -= len(text.text.encode("utf-8", "replace"))
                self._room.set()
            if self._ending:
                await _screening(session.done_writing())
                return

    async def _read(self, session: ScreenSession) -> None:
        while (answer := await _screening(session.read())) is not None:
            if answer.screened:
                self._findings.add(answer.screened)
            if answer.blocked:
                raise screening_failed("screening blocked its content", detectors=",".join(sorted({f.detector for f in answer.findings})))
            run = self._texts.find(answer.channel, answer.index)
            if run is None:
                raise screening_failed("screening answered about text that it was not given")
            run.take(answer.released_text, answer.through_seq)
            self._unanswered = max(
                0, self._unanswered - 1
            )  # that each piece has one answer is policy's habit, and nothing but speed hangs on it
            self._hand_over(all_of_it=False)
            await self._texts.let_go(last=False)
        if not self._ending:
            raise screening_failed("screening ended early")
        self._read_all.set()


async def _screening(call: Awaitable[T]) -> T:
    try:
        return await call
    except MeshError as failure:
        raise screening_failed("screening broke off", cause=failure.reason_name) from failure


def _unreadable(what: str) -> GatewayError:
    return screening_failed(f"{what} cannot be screened")


def _raise_first(group: BaseExceptionGroup[BaseException]) -> NoReturn:
    raise next((error for error in group.exceptions if isinstance(error, MeshError)), group.exceptions[0])
