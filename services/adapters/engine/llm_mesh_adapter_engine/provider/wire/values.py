"""What engines are asked and what they answer, apart from whose messages carry it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

REGEX: Final = "regex"
GRAMMAR: Final = "grammar"
STRUCTURAL_TAG: Final = "structural_tag"
JSON_SCHEMA: Final = "json_schema"
JSON_OBJECT: Final = "json_object"
CHOICE: Final = "choice"


class Constraint(NamedTuple):
    """What the text must follow."""

    kind: str
    value: str = ""
    choices: Sequence[str] = ()


@dataclass(slots=True, kw_only=True)
class Sampling:
    """How an engine is to choose tokens. None: its default."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    max_tokens: int = 0
    min_tokens: int | None = None
    stop: Sequence[str] = ()
    stop_token_ids: Sequence[int] = ()
    ignore_eos: bool = False
    candidates: int = 1
    logprobs: int | None = None
    """Alternatives at each place. None: no log-probabilities."""
    seed: int | None = None
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    constraint: Constraint | None = None


class TokenChance(NamedTuple):
    """A token, and how likely it was."""

    token: int
    logprob: float
    top: Sequence[tuple[int, float]] = ()


class AnswerPiece(NamedTuple):
    """One message of an engine's answer."""

    choice: int
    """Which of several answers."""
    tokens: Sequence[int]
    """More of them; with `finish`, all or the last of them, or none."""
    chances: Sequence[TokenChance]
    """Of `tokens`, in their order."""
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int = 0
    finish: str = ""
    """Why the answer ended; empty while it goes on."""
    stop: str = ""
    """The stop sequence that the engine came to. Empty: none, or it was a token."""


class ModelFacts(NamedTuple):
    """What an engine says of its model."""

    names: frozenset[str]
    """By which it may be called."""
    served: str
    context_window: int
    generates: bool
    max_input: int = 0


class Load(NamedTuple):
    """How busy an engine is, over all of its ranks."""

    running_requests: int
    waiting_requests: int
    waiting_tokens: int
    used_tokens: int
    max_tokens: int
    cache_usage: float
    tokens_per_second: float
    cache_hit_rate: float
    max_running_requests: int


class Wire(Protocol):
    """The messages of one engine. What it is given was checked; `ValueError` for bytes that are none of its messages."""

    service: str
    lacks: frozenset[str]
    """What of a `Sampling` it has no field for."""

    def generate(self, request_id: str, tokens: Sequence[int], sampling: Sampling, *, stream: bool) -> bytes:
        """A request for an answer."""

    def piece(self, data: bytes) -> AnswerPiece:
        """One message of an answer."""

    def embed(self, request_id: str, tokens: Sequence[int]) -> bytes:
        """A request for one vector."""

    def vector(self, data: bytes) -> tuple[Sequence[float], int]:
        """A vector, and how many tokens its text has."""

    def abandoned(self, method: str, message: bytes) -> bytes | None:
        """The request to stop working at a message of that method. None: nothing can be stopped."""

    def facts(self, data: bytes) -> ModelFacts:
        """The answer about the model."""

    def healthy(self, data: bytes) -> str:
        """Empty where the engine says that it is well; else what is wrong."""

    def load(self, data: bytes) -> Load:
        """The answer about the load."""
