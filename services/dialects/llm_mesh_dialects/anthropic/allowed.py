"""The keys of the Anthropic dialect that the typed payload does not model: which go on, which are refused, and why.

Read in Anthropic's API reference and in its Python SDK 2.14, in November 2026. docs/extras.md is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh_dialects.allowing import KeyRule, Table, costly, dropped, safe
from llm_mesh_dialects.anthropic.vocabulary import DIALECT

_HISTORY: Final = safe("a part of an earlier turn, sent back as it came; counted as input")
_CACHE: Final = safe("writing a cache is priced, and reserved at that price", inner=("type", "ttl"))
_HOSTED: Final = costly("the provider runs it, and charges for it apart from the limit of the answer")
_CLIENT: Final = safe("the application runs it")
_ROUTES: Final = costly("it lets the provider choose another model than the plan, at another price")
_ACCOUNT: Final = costly("it charges or attributes the request elsewhere than was reserved")
_FEATURE: Final = safe("a feature without a price of its own")

_REQUEST: Final[Mapping[str, KeyRule]] = {
    "metadata": safe("a label for the provider's records"),
    "thinking": safe("thinking counts as output, within the limit of the answer", inner=("type", "display")),
    "output_config": safe("form and effort of the answer, within its limit", inner=("effort", "format")),
    "cache_control": _CACHE,
    "service_tier": costly("another tier has other prices", idle=("auto", "standard_only")),
    "speed": costly("a faster mode has other prices", idle=("standard",)),
    "inference_geo": costly("a region has other prices, and regions are for policy to choose"),
    "fallbacks": _ROUTES,
    "fallback_credit_token": _ACCOUNT,
    "billing_policy": _ACCOUNT,
    "user_profile_id": _ACCOUNT,
    "workspace_id": _ACCOUNT,
    "mcp_servers": _HOSTED,
    "container": _HOSTED,
    "thread": costly("the provider keeps content for it, for longer than was admitted"),
    "compaction": costly("a compaction is charged as a request of its own"),
    "context_management": safe("what is cleared of a long conversation, each edit by its own rule below", inner=("edits",)),
    "diagnostics": dropped("it concerns the provider's own records"),
}
_BLOCKS: Final[Mapping[str, KeyRule]] = {
    "part.cache_control": _CACHE,
    "part.citations": safe("asks for citations, which count as output"),
    "part.context": safe("says what a document is about; counted as input"),
    "part.title": safe("says what a document is called; counted as input"),
    "part.caller": safe("says who called a tool", inner=("type", "tool_id")),
    **dict.fromkeys(("part_type.server_tool_use", "part_type.mcp_tool_use", "part_type.mcp_tool_result"), _HISTORY),
    **dict.fromkeys(("part_type.web_search_tool_result", "part_type.web_fetch_tool_result", "part_type.search_result"), _HISTORY),
    **dict.fromkeys(("part_type.code_execution_tool_result", "part_type.bash_code_execution_tool_result"), _HISTORY),
    **dict.fromkeys(("part_type.text_editor_code_execution_tool_result", "part_type.tool_search_tool_result"), _HISTORY),
    **dict.fromkeys(("part_type.tool_reference", "part_type.document", "part_type.compaction"), _HISTORY),
    "part_type.container_upload": _HOSTED,
}
_TOOLS: Final[Mapping[str, KeyRule]] = {
    "tool.cache_control": _CACHE,
    "tool.type": safe("says that the application defines the tool"),
    "tool.input_examples": safe("examples of arguments; counted as input"),
    "tool.eager_input_streaming": safe("how a stream is written"),
    "tool.defer_loading": safe("shows the tool to the model later"),
    "tool.allowed_callers": costly("lets code of the provider call the tool, which is charged by the container"),
    **dict.fromkeys(("tool_type.bash_*", "tool_type.text_editor_*", "tool_type.computer_*", "tool_type.memory_*"), _CLIENT),
    **dict.fromkeys(("tool_type.web_search_*", "tool_type.web_fetch_*", "tool_type.code_execution_*", "tool_type.mcp_*"), _HOSTED),
    **dict.fromkeys(("tool_type.tool_search_*", "tool_type.advisor_*"), _HOSTED),
}
_BETAS: Final[Mapping[str, KeyRule]] = {
    "anthropic_beta": safe("features in trial, each by its own rule below"),
    **dict.fromkeys(("beta.claude-code-*", "beta.interleaved-thinking-*", "beta.fine-grained-tool-streaming-*"), _FEATURE),
    **dict.fromkeys(("beta.token-efficient-tools-*", "beta.output-128k-*", "beta.prompt-caching-*", "beta.pdfs-*"), _FEATURE),
    **dict.fromkeys(("beta.extended-cache-ttl-*", "beta.token-counting-*", "beta.structured-outputs-*", "beta.effort-*"), _FEATURE),
    **dict.fromkeys(("beta.search-results-*", "beta.tool-examples-*", "beta.adaptive-thinking-*", "beta.max-tokens-*"), _FEATURE),
    **dict.fromkeys(("beta.computer-use-*", "beta.inline-tools-*", "beta.mid-conversation-*", "beta.redact-thinking-*"), _FEATURE),
    "beta.context-1m-*": dropped("longer contexts have other prices"),
    "beta.context-management-*": _FEATURE,
    "beta.compact-*": dropped("a compaction is charged as a request of its own"),
    "beta.fast-mode-*": dropped("a faster mode has other prices"),
}

_EDITS: Final[Mapping[str, KeyRule]] = {
    **dict.fromkeys(("edit.clear_tool_uses_*", "edit.clear_thinking_*"), safe("makes the conversation shorter")),
    "edit.compact_*": dropped("a compaction is charged as a request of its own"),
}

TABLE: Final = Table(DIALECT, {**_REQUEST, **_BLOCKS, **_TOOLS, **_BETAS, **_EDITS})
"""All keys, by name."""
