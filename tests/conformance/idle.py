"""Values that ask for what happens anyway, and other spellings of the same: a provider rightly gets the same request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

ANY = ""


class Idle(NamedTuple):
    """Paths of an edge, a value if it is one of several, and the adapters that it holds for, if not for all."""

    edge: str
    paths: str
    """A pattern of whole paths."""
    why: str
    value: object = ANY
    adapters: frozenset[str] = frozenset()


_SCHEMAS = "an answer by a schema always follows it"
_CHOOSES = "without a choice the model decides"
_FEW = frozenset({"anthropic", "gemini", "bedrock", "cohere", "ollama"})
_MOST = _FEW | {"openai-responses"}
IDLE = (
    Idle("openai", r".*content<list>\[\](<text>)?", "one text is the same, in a list or not"),
    Idle("openai", r"messages\[\]<system>", "where the provider tells system and developer not apart, both are the same", adapters=_FEW),
    Idle("openai", "logprobs", "none come unless they are asked for", value=False),
    Idle("openai", r"modalities\[\]", "answers are texts", "text", _MOST),
    Idle("openai", "parallel_tool_calls", "several tools may be called unless it is forbidden", value=True, adapters=_FEW),
    Idle("openai", "response_format<text>", "answers are texts", adapters=_MOST),
    Idle("openai", "store", "nothing is stored", value=False, adapters=frozenset({"openai-responses"})),
    Idle("openai", "stream|stream_options.*", "how the mesh streams to its caller; the provider is not told"),
    Idle("openai", "tool_choice<word>", _CHOOSES, "auto", frozenset({"cohere", "ollama"})),
    Idle("openai", r"tools\[\]<function>\.function\.strict", "arguments are not bound to a schema", value=False, adapters=_MOST),
    Idle("openai", r"response_format<json_schema>\.json_schema\.strict", _SCHEMAS, adapters=_FEW),
    Idle("openai", "top_logprobs", "the note about logprobs is about these, too", adapters=frozenset({"anthropic", "bedrock"})),
    Idle("anthropic", r".*content<list>\[\](<text>)?|system<list>\[\]", "one text is the same, in a list or not"),
    Idle("anthropic", r".*\.source<base64>\.media_type", "the bytes of an image say their type", adapters=frozenset({"ollama"})),
    Idle("anthropic", r".*\.is_error", "a result is none of an error unless it says so", value=False),
    Idle("anthropic", "metadata|output_config", "an object of nothing"),
    Idle("anthropic", "stream", "how the mesh streams to its caller"),
    Idle("anthropic", "tool_choice<auto>", _CHOOSES, adapters=frozenset({"cohere", "ollama"})),
    Idle("anthropic", r"tool_choice<\w+>\.disable_parallel_tool_use", "several tools may be called unless it is forbidden", False, _FEW),
    Idle("anthropic", r"tools\[\]<ToolParam>\.strict", "arguments are not bound to a schema", value=False, adapters=_MOST),
    Idle("google", r"contents\[\]", "the suite's own question"),
    Idle("google", r".*\.thought", "a part is no thought unless it says so", value=False),
    Idle("google", r".*\.file_data\.mime_type", "the address says the type"),
    Idle("google", r".*\.function_(call|response)\.id", "the server knows calls by their order", adapters=frozenset({"ollama"})),
    Idle("google", r"tools\[\]|tool_config(\.function_calling_config)?|generation_config(\.thinking_config)?", "an object of nothing"),
    Idle("google", r"tools\[\].*\.nullable", "a value is not null unless it may be", value=False),
    Idle("google", r"tool_config\.function_calling_config\.mode", _CHOOSES, "AUTO", frozenset({"cohere", "ollama"})),
    Idle("google", r"generation_config\.logprobs", "the note about these is about all", adapters=frozenset({"anthropic", "bedrock"})),
    Idle("google", r"generation_config\.response_logprobs", "none come unless they are asked for", value=False),
    Idle("google", r"generation_config\.response_mime_type", "answers are texts", value="text/plain"),
    Idle("google", r"generation_config\.response_modalities", "answers are texts", value=["TEXT"], adapters=_MOST),
    Idle("grpc", "model", "the alias is the mesh's; the provider gets its own name of the model"),
    Idle("grpc", "source_dialect", "what an edge notes for the mesh"),
    Idle("grpc", r"messages\[\]", "the suite's own question"),
    Idle("grpc", "sampling|reasoning", "a message of nothing"),
    Idle("grpc", "include_usage", "the contract has usage always"),
    Idle("grpc", "modalities", "answers are texts", value=["text"], adapters=_MOST),
    Idle("grpc", "parallel_tool_calls", "several tools may be called unless it is forbidden", value=True, adapters=_FEW),
    Idle("grpc", r"response_format<json_schema>\.json_schema\.strict", _SCHEMAS, adapters=_FEW),
    Idle("grpc", r"tools\[\]<function>\.function\.strict", "arguments are not bound to a schema", value=False, adapters=_MOST),
    Idle("grpc", r"tool_choice(\.mode)?", _CHOOSES, adapters=frozenset({"cohere", "ollama"})),
    Idle("grpc", "tool_choice.name", "a name counts where the mode is NAMED"),
)


def idle(edge: str, path: str, value: object, adapter: str) -> Idle | None:
    """The row about a value, if there is one."""
    for each in IDLE:
        here = each.edge == edge and (not each.adapters or adapter in each.adapters)
        if here and (each.value is ANY or (type(each.value) is type(value) and each.value == value)) and re.fullmatch(each.paths, path):
            return each
    return None


REFUSED_BY_THE_EDGE: Mapping[tuple[str, str], str] = {
    ("openai", "messages[]<function>"): "the role of an older form of tools",
    ("openai", "messages[]<assistant>.function_call"): "a call of an older form of tools, which has no id",
}
"""What no adapter is asked for: the edge refuses it by its field."""
