"""A request as far as the answer depends on it: what both dialects have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class ToolUse(Enum):
    """Whether the answer may or must be a tool call."""

    NEVER = "never"
    ON_REQUEST = "asked"
    FORCED = "forced"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool offered by the request. Without a schema it takes free text."""

    name: str
    schema: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class CachePoint:
    """A prefix of the prompt that the client asks to cache: its digest, its length in tokens, and for how long."""

    digest: bytes
    tokens: int
    hour: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One request for text."""

    model: str
    text: str
    """The last text of the user, or the result of the last tool."""
    prompt_tokens: int
    after_tool: bool = False
    """Whether the last message carries tool results, which an answer in words follows."""
    tools: tuple[Tool, ...] = ()
    tool_use: ToolUse = ToolUse.ON_REQUEST
    parallel: bool = True
    json: bool = False
    """Whether the answer is JSON."""
    schema: Mapping[str, object] | None = None
    """What the JSON must be valid against; None takes any object."""
    choices: int = 1
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    seed: int | None = None
    reasoning: int = 0
    """How many tokens of reasoning the request asks for."""
    cache_points: tuple[CachePoint, ...] = ()
