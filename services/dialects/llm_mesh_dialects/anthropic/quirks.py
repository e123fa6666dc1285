"""What models of the dialect take, as values by the model's name.

Newer models refuse what older ones demand: sampling (`temperature` is a 400 since Opus 4.7), a budget of thinking (since Opus
4.7), a system message within the conversation (before Opus 4.8). A request that was written for another model must still arrive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class AnthropicQuirks:
    """The defaults are those of the newest models, as far as models of other makers take them too."""

    sampling: Literal["all", "one", "none"] = "none"
    """Whether `temperature`, `top_p` and `top_k` are taken: all, not temperature and top_p at once, or none."""
    budget: bool = False
    """Thinking is limited by a number of tokens."""
    adaptive: bool = True
    """The model decides by itself how much to think."""
    thinking_off: bool = True
    """Thinking can be forbidden."""
    efforts: frozenset[str] = frozenset({"low", "medium", "high", "xhigh", "max"})
    """The efforts that `output_config` takes. Empty: it takes none."""
    schemas: bool = True
    """Answers and tools that must follow a schema (`output_config.format`, `strict`)."""
    system_within: bool = True
    """System messages may stand within the conversation, after a user's turn."""


NEWEST: Final = AnthropicQuirks()
OPEN: Final = AnthropicQuirks(sampling="all", budget=True, system_within=False)
"""Models of other makers behind the dialect: they ignore what they do not know."""

_FORTY_SEVEN: Final = replace(NEWEST, system_within=False)
_FORTY_SIX: Final = replace(_FORTY_SEVEN, sampling="one", budget=True, efforts=frozenset({"low", "medium", "high", "max"}))
_FORTY_FIVE: Final = replace(_FORTY_SIX, adaptive=False, efforts=frozenset())
_FORTY: Final = replace(_FORTY_FIVE, sampling="all", schemas=False)
_THREE: Final = replace(_FORTY, budget=False)

# By the beginning of the name; the first that fits counts.
_FAMILIES: Final[tuple[tuple[str, AnthropicQuirks], ...]] = (
    ("claude-2", _THREE),
    ("claude-3-7", _FORTY),
    ("claude-3", _THREE),
    ("claude-haiku-4", _FORTY_FIVE),
    ("claude-sonnet-4-5", _FORTY_FIVE),
    ("claude-sonnet-4-6", _FORTY_SIX),
    ("claude-sonnet-4", _FORTY),
    ("claude-opus-4-1", _FORTY_FIVE),
    ("claude-opus-4-5", replace(_FORTY_FIVE, efforts=frozenset({"low", "medium", "high"}))),
    ("claude-opus-4-6", _FORTY_SIX),
    ("claude-opus-4-7", _FORTY_SEVEN),
    ("claude-opus-4-8", NEWEST),
    ("claude-opus-4", _FORTY),
    ("claude-fable", replace(NEWEST, thinking_off=False)),
    ("claude-mythos", replace(NEWEST, thinking_off=False)),
    ("claude-", NEWEST),
)


def of_model(model: str) -> AnthropicQuirks:
    """What a model takes, by its name; prefixes of clouds and resellers (`anthropic/`, `us.anthropic.`) do not count."""
    start = model.lower().find("claude-")
    if start < 0:
        return OPEN
    name = model.lower()[start:]
    return next(quirks for prefix, quirks in _FAMILIES if name.startswith(prefix))
