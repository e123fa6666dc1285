"""What families of models take, by the name of the model: the provider refuses a request for what one of them does not know.

A profile or a deployment under a name of its own (an ARN) says nothing of its family: whatever the request has goes on to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from llm_mesh_dialects.anthropic import quirks as claude


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The defaults are what nearly all take."""

    caching: bool = False
    """Prefixes are cached at points within the request."""
    schemas: bool = True
    """Answers and tools can be bound to a schema (`outputConfig.textFormat`, `strict`)."""
    effort: Literal["", "outputConfig", "reasoning_effort", "reasoningConfig"] = ""
    """The key that takes an effort, if any."""
    budget: bool = False
    """It may be one that takes a number of tokens for thinking."""
    top_k: Literal["", "top_k", "inferenceConfig.topK"] = ""
    """The key of `additionalModelRequestFields` that takes `top_k`, if any."""
    status: bool = False
    """Results of tools say whether they failed."""
    claude: claude.AnthropicQuirks | None = None
    """What of Claude's own parameters the model takes; None for other makers' models."""


_OTHER: Final = Family()
_UNKNOWN: Final = Family(caching=True, effort="outputConfig", budget=True, status=True)
_CLAUDE: Final = Family(caching=True, effort="outputConfig", top_k="top_k", status=True)
_NOVA: Final = Family(caching=True, schemas=False, top_k="inferenceConfig.topK", status=True)
_FAMILIES: Final[tuple[tuple[str, Family], ...]] = (
    ("amazon.nova-2", replace(_NOVA, effort="reasoningConfig")),
    ("amazon.nova", _NOVA),
    ("amazon.", Family(schemas=False)),
    ("openai.", Family(effort="reasoning_effort")),
    ("cohere.", Family(schemas=False, top_k="top_k")),
    ("mistral.", Family(top_k="top_k")),
    ("meta.", Family(schemas=False)),
    ("ai21.", Family(schemas=False)),
)
_OWN_NAMES: Final = ("arn:", "sim-")
"""How names begin that say nothing: those of deployments and profiles, and of the simulator's models."""


def says_nothing(model: str) -> bool:
    """Whether a model's name does not tell its family."""
    return model.lower().startswith(_OWN_NAMES)


def of_model(model: str) -> Family:
    """The family of a model; the region before its name (`eu.`, `us-gov.`, `global.`) and the ARN around it do not count."""
    name = model.lower()
    if "claude" in name:
        quirks = claude.of_model(name)
        return replace(_CLAUDE, schemas=quirks.schemas, effort="outputConfig" if quirks.efforts else "", claude=quirks)
    known = next((family for begin, family in _FAMILIES if begin in name), None)
    if known is not None:
        return known
    return _UNKNOWN if says_nothing(name) else _OTHER
