"""Takes answers through policy's screening before anybody sees them, streamed and whole by the same way.

Text is handed over at once while policy owes no verdict. While one is on its way, what comes is gathered until it is there, for at
most 20 ms or 512 bytes: so a slow stream waits for nothing, and a quick one costs few pieces. Whatever goes wrong releases nothing
more: policy refuses the rest, breaks off, or answers what it was not asked.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_gateway.domain.errors import screening_failed
from llm_mesh_gateway.domain.findings import Findings
from llm_mesh_gateway.domain.ports import Piece, Policy, Release, ScreenSession
from llm_mesh_gateway.domain.transforms.order import Order, Run
from llm_mesh_runtime.errors import MeshError

T = TypeVar("T")

_PIECE = 512
_SECONDS = 0.02
_MOST_UNSCREENED = 64 * 1024
_CHUNK = 16 * 1024


def screened(
    policy: Policy,
    admitted: policy_pb2.AdmitResponse,
    release: Release,
    translations: Sequence[generate_pb2.Translation] = (),
    findings: Findings | None = None,
) -> AbstractAsyncContextManager[Release]:
    """Where the answer goes on its way to `release`: through screening where policy obliges to it. `findings` takes what is found."""
    if not admitted.obligations.screen_output:
        return nullcontext(release)
    return _Release(Screening(policy, admitted, release, translations, Findings() if findings is None else findings))


class _Release(AbstractAsyncContextManager[Release]):
    """The life of one screening."""

    def __init__(self, screening: Screening) -> None:
        self._screening = screening

    async def __aenter__(self) -> Release:
        await self._screening.begin()
        return self._screening.accept

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._screening.end(kind, error, trace)


class Screening:
    """One answer under screening. One task writes to policy, one reads; a failure of either ends the request."""

    def __init__(
        self,
        policy: Policy,
        admitted: policy_pb2.AdmitResponse,
        release: Release,
        translations: Sequence[generate_pb2.Translation],
        findings: Findings,
    ) -> None:
        self._findings = findings
        self._policy = policy
        self._admitted = admitted
        self._release = release
        self._translations = translations
        self._order = Order()
        self._outgoing: deque[policy_pb2.ScreenText] = deque()
        self._unscreened = 0
        self._owed = 0
        """Pieces that policy has not answered yet."""
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._read_all = asyncio.Event()
        self._releasing = asyncio.Lock()
        self._ending = False
        self._streaming = True
        self._timer: asyncio.TimerHandle | None = None
        self._tasks = asyncio.TaskGroup()
        self._running: list[asyncio.Task[None]] = []
        self._session: ScreenSession | None = None

    async def begin(self) -> Self:
        """Open the stream to policy."""
        try:
            self._session = await self._policy.screen(self._admitted.admission, self._admitted.obligations.screen_state)
        except MeshError as failure:
            raise screening_failed("screening did not begin", cause=failure.reason_name) from failure
        await self._tasks.__aenter__()
        self._running = [
            self._tasks.create_task(self._write(self._session), name="screening writes"),
            self._tasks.create_task(self._read(self._session), name="screening reads"),
        ]
        return self

    async def end(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
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
        if piece.answer is not None:
            if isinstance(piece.answer, generate_pb2.GenerateOutput):
                await self._whole(piece.answer)
            await self._release(piece)
            return
        for event in piece.events:
            if self._translations and event.WhichOneof("kind") == "started":
                event.started.translations.extend(self._translations)
            self._order.add(event)
        if piece.report is None:
            self._hand_over(all_of_it=False)
            await self._let_go()
            await self._wait_for_room()
        else:
            await self._finish()
            await self._let_go()

    async def _finish(self) -> None:
        self._order.close()
        self._hand_over(all_of_it=True)
        self._ending = True
        self._wake.set()
        await self._read_all.wait()
        if not self._order.complete:
            raise screening_failed("screening ended early")

    async def _whole(self, answer: generate_pb2.GenerateOutput) -> None:
        """Screen all texts of a whole answer, and put back what is released."""
        self._streaming = False
        answer.translations.extend(self._translations)
        answer.ClearField("extras")
        answer.usage.ClearField("extras")
        texts: list[tuple[Run, content_pb2.Part, str]] = []
        for choice in answer.choices:
            for field in ("logprobs", "refusal_logprobs", "extras"):
                choice.ClearField(field)
            _strip(choice.message)
            for part in choice.message.parts:
                kind = part.WhichOneof("kind") or ""
                for channel, field in _FIELDS[kind]:
                    texts.append((self._hand_over_text(getattr(getattr(part, kind), field), channel), part, field))
        await self._finish()
        for run, part, field in texts:
            setattr(getattr(part, part.WhichOneof("kind") or ""), field, "".join(run.released))

    def _hand_over_text(self, text: str, channel: str) -> Run:
        run = self._order.run(channel, _never)
        for begin in range(0, len(text), _CHUNK):
            run.add(text[begin : begin + _CHUNK])
            if begin + _CHUNK < len(text):
                self._send(run)
        run.closed = True
        self._send(run)
        return run

    def _hand_over(self, *, all_of_it: bool) -> None:
        """Send everything while policy owes no verdict; else runs that are full or closed, and the others when their time is up."""
        all_of_it = all_of_it or not self._owed
        for run in list(self._order.changed):
            if all_of_it or run.closed or run.size >= _PIECE:
                del self._order.changed[run]
                self._send(run)
        if self._order.changed and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SECONDS, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self._hand_over(all_of_it=True)

    def _send(self, run: Run) -> None:
        self._unscreened += run.size
        self._owed += 1
        self._outgoing.append(run.piece())
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
                raise screening_failed(
                    "it has content that is not allowed out", detectors=",".join(sorted({f.detector for f in answer.findings}))
                )
            self._order.take(answer)
            self._owed = max(0, self._owed - 1)  # that each piece has one answer is policy's habit, and nothing but speed hangs on it
            if self._streaming:
                self._hand_over(all_of_it=False)
                await self._let_go()
        if not self._ending:
            raise screening_failed("screening ended early")
        self._read_all.set()

    async def _let_go(self) -> None:
        async with self._releasing:
            events = self._order.ready()
            if events:
                await self._release(Piece(events=events))


_FIELDS: Mapping[str, Sequence[tuple[str, str]]] = {
    "text": (("text", "text"),),
    "refusal": (("refusal", "text"),),
    "reasoning": (("reasoning", "text"),),
    "tool_call": (("tool_name", "name"), ("tool_call", "arguments_json")),
}
"""What of each kind of part is screened, as which channel. Other kinds of parts do not go out."""
_UNREADABLE = {"audio": "sound", "image": "a picture", "file": "a file"}


def _strip(message: content_pb2.Message) -> None:
    """Take out what could hide text where nothing screens it."""
    kinds = [part.WhichOneof("kind") or "" for part in message.parts]
    unreadable = next((_UNREADABLE[kind] for kind in kinds if kind in _UNREADABLE), None)
    if unreadable is not None:
        raise screening_failed(f"{unreadable} cannot be screened")
    kept = [part for part, kind in zip(message.parts, kinds, strict=True) if kind in _FIELDS]
    del message.parts[:]
    message.ClearField("extras")
    for part in kept:
        part.ClearField("extras")
        if part.WhichOneof("kind") == "text":
            part.text.ClearField("annotations")
        message.parts.append(part)


async def _screening(call: Awaitable[T]) -> T:
    try:
        return await call
    except MeshError as failure:
        raise screening_failed("screening broke off", cause=failure.reason_name) from failure


def _never(text: str) -> generate_pb2.StreamEvent:
    raise AssertionError(text)


def _raise_first(group: BaseExceptionGroup[BaseException]) -> NoReturn:
    raise next((error for error in group.exceptions if isinstance(error, MeshError)), group.exceptions[0])
