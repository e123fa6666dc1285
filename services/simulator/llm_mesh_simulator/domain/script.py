"""Behaviours by name: a model id such as `sim-words/tokens:200/rate:50` is a small script that needs no set-up.

A script is one of the names below, then any number of `/field:value` or `/flag` with the fields of a behaviour.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.behaviour_fields import changed
from llm_mesh_simulator.domain.errors import UnknownScriptError

PREFIX: Final = "sim-"
_MULTILINGUAL = "Grüße aus Zürich, 世界 — naïve café, Ελλάδα, Привет, שלום, 🙂👩‍👩‍👧‍👦🇨🇭 end."


@dataclass(frozen=True, slots=True)
class Named:
    """A named behaviour and what it is for."""

    about: str
    values: Mapping[str, object] = field(default_factory=dict)


NAMES: Final[Mapping[str, Named]] = {
    "sim-echo": Named("answers with the user's last text, at once"),
    "sim-words": Named("answers with 32 seeded words (`tokens` sets how many)", {"answer": "words"}),
    "sim-slow": Named("200 ms to the first token, then 50 tokens a second", {"answer": "words", "ttft_ms": 200, "rate": 50}),
    "sim-tools": Named("calls the offered tools without being asked", {"tools": "always"}),
    "sim-reasoning": Named("64 tokens of reasoning before the answer", {"reasoning": 64}),
    "sim-refusal": Named("refuses to answer", {"refusal": True}),
    "sim-utf8": Named("answers in many scripts", {"answer": "text", "text": _MULTILINGUAL}),
    "sim-embed": Named("embeddings of 256 dimensions (every model embeds)"),
    "sim-rerank": Named("reranking by shared words (every model reranks)"),
    "sim-moderate": Named("moderation by the names of categories (every model moderates)"),
    "sim-assess": Named("decisions with probabilities that follow from what is asked (every model decides)"),
    "sim-image": Named("images of one colour (every model draws)"),
    "sim-transcribe": Named("two words for each second of sound (every model transcribes)"),
    "sim-speech": Named("a tone for each word (every model speaks)"),
    # errors with a body in the dialect's shape
    "sim-400": Named("400, invalid request", {"status": 400}),
    "sim-context-length": Named("400, the prompt is longer than the context window", {"status": 400, "error": "context_length"}),
    "sim-401": Named("401, wrong key", {"status": 401}),
    "sim-403": Named("403, not allowed", {"status": 403}),
    "sim-404": Named("404, no such model", {"status": 404}),
    "sim-429": Named("429 with Retry-After: 1", {"status": 429, "retry_after": 1}),
    "sim-quota": Named("429, the account has no credit left", {"status": 429, "error": "quota"}),
    "sim-500": Named("500", {"status": 500}),
    "sim-503": Named("503, overloaded", {"status": 503}),
    "sim-529": Named("529, overloaded, as Anthropic says it", {"status": 529}),
    "sim-html": Named("502 with the HTML page of a proxy", {"fault": "html"}),
    # failures below HTTP's meaning
    "sim-reset": Named("connection reset before headers", {"fault": "reset"}),
    "sim-hangup": Named("connection closed before headers", {"fault": "hangup"}),
    "sim-not-http": Named("bytes that are not HTTP", {"fault": "not-http"}),
    "sim-stall": Named("never sends headers", {"fault": "stall"}),
    "sim-ok-stall": Named("200, then silence", {"fault": "ok-stall"}),
    "sim-mid-stall": Named("silence after 3 tokens", {"answer": "words", "fault": "mid-stall"}),
    "sim-mid-reset": Named("connection reset after 3 tokens", {"answer": "words", "fault": "mid-reset"}),
    "sim-mid-hangup": Named("connection closed after 3 tokens", {"answer": "words", "fault": "mid-hangup"}),
    "sim-mid-error": Named("the dialect's error event after 3 tokens", {"answer": "words", "fault": "mid-error"}),
    "sim-truncate": Named("the body ends in good order after 3 tokens", {"answer": "words", "fault": "truncate"}),
    "sim-no-done": Named("a whole answer without the end mark", {"fault": "no-done"}),
    "sim-malformed": Named("JSON that does not parse", {"answer": "words", "fault": "malformed"}),
    "sim-empty": Named("200 with an empty body", {"fault": "empty"}),
    # legal but unusual
    "sim-crlf": Named("CRLF line ends in the stream", {"wire": "crlf"}),
    "sim-comments": Named("comments between events", {"wire": "comments"}),
    "sim-unknown-fields": Named("unknown fields in each object", {"wire": "unknown"}),
    "sim-duplicate-fields": Named("keys that occur twice", {"wire": "duplicate"}),
    "sim-huge": Named("an event of one megabyte", {"wire": "huge"}),
    "sim-split-utf8": Named("characters cut between writes", {"answer": "text", "text": _MULTILINGUAL, "wire": "split"}),
    "sim-drip": Named("seven bytes per write", {"wire": "drip"}),
    # usage
    "sim-no-usage": Named("no usage in the answer", {"usage": "missing"}),
    "sim-zero-usage": Named("usage of zero", {"usage": "zero"}),
    "sim-overbill": Named("reports a hundred times the usage", {"overbill": 100}),
    "sim-cached": Named("half of a thousand input tokens came from the cache", {"prompt_tokens": 1000, "cached": 500}),
}


def behaviour_of(model: str) -> Behaviour:
    """The behaviour that a model id asks for; any id that is no script is answered as `sim-echo`."""
    if not model.startswith(PREFIX):
        return Behaviour()
    name, *options = model.split("/")
    named = NAMES.get(name)
    if named is None:
        raise UnknownScriptError(f"there is no behaviour {name!r}")
    values = dict(named.values)
    for option in options:
        key, _, value = option.partition(":")
        values[key] = value
    return changed(Behaviour(), values)
