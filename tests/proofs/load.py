"""Load: clients that ask one request after the other until they are told to stop, and note what became of each."""

from __future__ import annotations

import http.client
import itertools
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.proofs.http import Reply
from tests.proofs.stand import PATIENCE, Stand

Question = Callable[[random.Random], dict[str, Any]]


@dataclass
class Asked:
    """One request, and its answer if there was one."""

    request: str
    reply: Reply | None = None

    @property
    def answered(self) -> bool:
        """The answer came whole."""
        if self.reply is None or self.reply.status != http.client.OK:
            return False
        streamed = self.reply.headers.get("content-type", "").startswith("text/event-stream")
        return not streamed or b"data: [DONE]" in self.reply.body


@dataclass
class Load:
    """What was asked so far."""

    asked: list[Asked] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def in_flight(self) -> int:
        """Requests without an answer."""
        return sum(1 for each in self.asked if each.reply is None)

    def finished(self) -> int:
        """Requests with an answer, a refusal too."""
        return sum(1 for each in self.asked if each.reply is not None)


@contextmanager
def load(
    stand: Stand, clients: int, name: str, question: Question, rng: random.Random, *, most: int = 0, key: str | None = None
) -> Iterator[Load]:
    """Clients that ask until the block ends, their mesh does, or `most` requests were begun; `question` makes a body."""
    made, numbers = Load(), itertools.count()
    choices = [random.Random(rng.getrandbits(64)) for _ in range(clients)]  # noqa: S311 (choices of a test)

    def work(own: random.Random) -> None:
        while not made.stopped.is_set():
            number = next(numbers)
            if most and number >= most:
                return
            each = Asked(f"{name}-{number}")
            made.asked.append(each)
            try:
                each.reply = stand.ask(question(own), key=key, headers={"x-request-id": each.request})
            except (OSError, http.client.HTTPException):
                return

    threads = [threading.Thread(target=work, args=(own,), daemon=True) for own in choices]
    for thread in threads:
        thread.start()
    try:
        yield made
        if most:
            for thread in threads:
                thread.join(PATIENCE * 2)
    finally:
        made.stopped.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "clients hang"


def chat_body(model: str, said: str, *, stream: bool = False, **more: Any) -> dict[str, Any]:
    """A chat."""
    return {"model": model, "messages": [{"role": "user", "content": said}], "stream": stream, **more}
