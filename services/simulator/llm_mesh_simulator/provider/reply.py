"""What a dialect makes of an answer: bytes ready for the wire, still to be sent in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from llm_mesh_simulator.domain.answer import Usage
from llm_mesh_simulator.domain.behaviour import Behaviour

Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Stream:
    """Events in the order of sending. Each of `pieces` costs one token; an empty one is thought in silence."""

    opening: Sequence[bytes]
    pieces: Sequence[bytes]
    closing: Sequence[bytes]
    end: bytes
    error: bytes
    """The dialect's error event, for a failure in the middle."""
    binary: bool = False
    """Events are frames of bytes rather than lines: quirks of lines do not concern them, and they have checksums."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of the provider."""

    status: int
    headers: Headers
    body: bytes | Stream
    tokens: int = 0
    usage: Usage | None = None
    """What the answer reports; None when it reports nothing."""


@dataclass(frozen=True, slots=True)
class AnswerIdentity:
    """What makes an answer distinct although its words are not: a number, and the second in which it was made."""

    request: str
    number: str
    created: int


class PreparedAnswer(Protocol):
    """A request that has been read and can be answered."""

    @property
    def prompt_tokens(self) -> int:
        """The tokens of its input."""
        ...

    @property
    def stream(self) -> bool:
        """Whether the answer is a stream."""
        ...

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """The answer under a behaviour."""
        ...
