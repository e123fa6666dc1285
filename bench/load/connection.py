"""One client connection: sends a request, times its answer from the write to the last byte, verifies it."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable

from bench.load.answers import Answer
from bench.load.figures import Figures
from bench.load.spec import Spec
from bench.upstream_answers import WORD

_TOKEN = WORD.strip()
_TEXT, _NO_TEXT = b'"content":"', b'"content":""'


class Connection(asyncio.Protocol):
    """`idle` is called when an answer is whole, and when the connection is lost."""

    def __init__(self, spec: Spec, figures: Figures, idle: Callable[[Connection], None]) -> None:
        self._expected, self._pace, self._cancelled = spec.expected, spec.pace / 1000, spec.cancelled
        self._figures, self._idle = figures, idle
        self._answer: Answer | None = None
        self._due = self._first = self._last = 0.0
        self._late = 0.0
        """How long after it was due the request was written: the generator's own part, connecting included."""
        self._number = self._chunks = 0
        self._leaving = False
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send without delay from now on."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a TCP transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.open = True
        self._figures.opened += self._figures.measuring

    def connection_lost(self, exc: Exception | None) -> None:
        """The server hung up, or we did."""
        self.open = False
        if self._answer is not None and not self._leaving:
            self._answer = None
            if self._figures.measuring:
                self._figures.failures[f"the connection broke off: {exc or 'closed'}"] += 1
        self._idle(self)

    def send(self, request: bytes, number: int, due: float) -> None:
        """One request; `due` is when it should have been sent, which is what a user waits from."""
        self._answer, self._first, self._number, self._chunks = Answer(), 0.0, number, 0
        self._due = due
        self._late = time.perf_counter() - due
        self._leaving = bool(self._cancelled) and random.random() < self._cancelled  # noqa: S311 - a share of clients
        self._transport.write(request)

    def close(self) -> None:
        """Hang up."""
        if self.open:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """A piece of the answer."""
        answer = self._answer
        if answer is None:
            self._figures.failures["bytes after the end of an answer"] += 1
            return
        whole = answer.feed(data)
        if self._expected.streamed:
            self._note_chunks(answer, data)
        elif not self._first:
            self._first = time.perf_counter()
        if whole:
            self._answer = None
            self._note(answer)
            self._idle(self)
        elif self._leaving and self._first:
            self._figures.cancelled += self._figures.measuring
            self._transport.abort()

    def _note_chunks(self, answer: Answer, data: bytes) -> None:
        # What a stream ends with, such as usage, comes with its last chunk, and is none.
        if self._expected.regrouped:
            chunks = data.count(_TEXT) - data.count(_NO_TEXT)
        else:
            chunks = min(data.count(b"data:"), self._expected.chunks - self._chunks)
        if chunks <= 0 or not answer.started:
            return
        self._chunks += chunks
        self._figures.chunks += chunks if self._figures.measuring and not self._expected.regrouped else 0
        now = time.perf_counter()
        if not self._first:
            # Providers begin with a role and no text. Whoever may still fail over holds that back, and no reader misses it.
            self._first = now if _TOKEN in data else 0.0
        elif self._pace and self._figures.measuring:
            self._figures.jitter.append(abs(now - self._last - self._pace))
            self._figures.jitter.extend([self._pace] * (chunks - 1))  # came together: each is as late as a whole pace
        self._last = now

    def _note(self, answer: Answer) -> None:
        figures, taken = self._figures, time.perf_counter() - self._due
        if not figures.measuring:
            return
        figures.statuses[answer.status] += 1
        figures.late.append(self._late)
        if answer.status in self._expected.refusals:
            figures.refused.append(taken)
            figures.refused_sent.append(taken - self._late)
            figures.retry_after += b"\r\nretry-after:" in answer.head
            return
        wrong = answer.wrong(self._expected, self._number)
        if wrong:
            figures.failures[wrong] += 1
        else:
            figures.good(taken, self._first - self._due)
            figures.chunks += self._expected.chunks if self._expected.regrouped else 0  # as the upstream sent them
