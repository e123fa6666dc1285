"""The keys and items of OpenAI's Responses that the typed payload does not model: which go on, which are refused, and why.

Read in OpenAI's API reference and in its Python SDK 3.52, in November 2026. docs/extras.md is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh_dialects.allowing import KeyRule, Table, costly, dropped, safe
from llm_mesh_dialects.responses.vocabulary import DIALECT

_LABEL: Final = safe("a label for the provider's records")
_HOSTED: Final = costly("the provider runs it, and charges for it apart from tokens")
_KEEPS: Final = costly("the provider keeps content for it, for longer than was admitted")
_UNSEEN: Final = costly("it adds content to the request that was not admitted, nor reserved for")
_COMPACTS: Final = costly("a compaction is charged as a request of its own")
_HISTORY: Final = safe("a part of an earlier turn, sent back as it came; counted as input")
_CLIENT: Final = safe("the application runs it")
_WRITTEN: Final = safe("writing a cache is priced, and reserved at that price", inner=("mode", "ttl"))

SHARED: Final = frozenset(
    {"metadata", "safety_identifier", "service_tier", "store", "prompt_cache_retention", "prompt_cache_options", "stream_options"}
    | {"reasoning"}
)
"""Keys that chat completions have under the same name and with the same meaning: extras of both dialects go on."""

_REQUEST: Final[Mapping[str, KeyRule]] = {
    "metadata": _LABEL,
    "safety_identifier": _LABEL,
    "text": safe("how much is written, within the limit of the answer", inner=("verbosity",)),
    "reasoning": safe("reasoning counts as output, within the limit of the answer", inner=("summary", "generate_summary")),
    "stream_options": safe("how a stream is written", inner=("include_obfuscation",)),
    "truncation": safe("whether a conversation that is too long is cut"),
    "max_tool_calls": safe("bounds what the provider's own tools do"),
    "tool_choice": safe("chooses among the request's own tools", types=("allowed_tools", "custom", "apply_patch")),
    "service_tier": costly("another tier has other prices", idle=("auto", "default")),
    "store": costly("the provider keeps content for it, for longer than was admitted", harmless=(False,)),
    "background": costly("the answer would be fetched later, when nobody has reserved for it", idle=(False,)),
    "prompt_cache_retention": costly("the provider keeps content for it, for longer than was admitted", idle=("in_memory", "in-memory")),
    "prompt_cache_options": _KEEPS,
    "context_management": _COMPACTS,
    "moderation": _HOSTED,
    **dict.fromkeys(("previous_response_id", "conversation", "prompt"), _UNSEEN),
    "access_programs": costly("it attributes the request elsewhere than was reserved"),
}
_ITEMS: Final[Mapping[str, KeyRule]] = {
    "part.item": safe("what tells one message of an answer from the next", inner=("id", "status", "phase")),
    **dict.fromkeys(("call.id", "call.status", "call.namespace", "call.caller", "call.async"), _HISTORY),
    "part.prompt_cache_breakpoint": _WRITTEN,
    **dict.fromkeys(("item_type.compaction", "item_type.reasoning", "item_type.message"), _HISTORY),
    **dict.fromkeys(("item_type.function_call*", "item_type.custom_tool_call*", "item_type.tool_search_*"), _HISTORY),
    **dict.fromkeys(("item_type.computer_call*", "item_type.shell_call*", "item_type.local_shell_call*"), _HISTORY),
    **dict.fromkeys(("item_type.apply_patch_call*", "item_type.mcp_*", "item_type.image_generation_call"), _HISTORY),
    **dict.fromkeys(("item_type.code_interpreter_call", "item_type.file_search_call", "item_type.web_search_call"), _HISTORY),
    **dict.fromkeys(("item_type.program", "item_type.program_output"), _HISTORY),
    "item_type.item_reference": _UNSEEN,
    "item_type.additional_tools": costly("it adds tools that were not admitted, among them the provider's own"),
    "item_type.compaction_trigger": _COMPACTS,
    "part_type.refusal": _HISTORY,
    "part_type.reasoning_text": _HISTORY,
}
_TOOLS: Final[Mapping[str, KeyRule]] = {
    "tool.defer_loading": safe("shows the tool to the model later"),
    "tool.allowed_callers": costly("lets code of the provider call the tool, which is charged by the container"),
    **dict.fromkeys(("tool_type.custom", "tool_type.apply_patch", "tool_type.local_shell"), _CLIENT),
    "tool_type.namespace": safe("a group of the application's tools"),
    **dict.fromkeys(("tool_type.web_search*", "tool_type.file_search", "tool_type.code_interpreter"), _HOSTED),
    **dict.fromkeys(("tool_type.image_generation", "tool_type.mcp", "tool_type.computer*", "tool_type.shell"), _HOSTED),
    **dict.fromkeys(("tool_type.tool_search", "tool_type.programmatic_tool_calling"), _HOSTED),
    "tool.output_schema": dropped("the typed payload has what a tool consists of"),
}

TABLE: Final = Table(DIALECT, {**_REQUEST, **_ITEMS, **_TOOLS})
"""All keys, by name."""
