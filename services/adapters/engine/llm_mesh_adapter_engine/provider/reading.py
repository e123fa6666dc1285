"""What of a request decides how its answer is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from llm_mesh_adapter_engine.provider.models import EngineModel
from llm_mesh_adapter_engine.provider.wire.values import Wire


class Calling(Enum):
    """How calls of tools stand in the answer."""

    NOT = "not"
    """The model calls nothing."""
    MARKED = "marked"
    """Between marks in its text."""
    ARGUMENTS = "arguments"
    """The whole text is the arguments of the one tool that must be called."""
    LIST = "list"
    """The whole text is a list of calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingContext:
    """One request."""

    endpoint: str
    request_id: str
    wire: Wire
    model: EngineModel
    stop: Sequence[str] = ()
    candidates: int = 1
    logprobs: bool = False
    calling: Calling = Calling.NOT
    tool: str = ""
    """The tool that must be called."""
    reasons: bool = False
    """Reasoning stands in the text."""
    reasoning_begun: bool = False
    """The prompt ended within it."""
