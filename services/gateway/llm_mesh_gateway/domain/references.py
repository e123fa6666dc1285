"""Which unmodelled JSON makes a provider read more than the request itself holds.

Nothing bounds the tokens of an earlier answer, a stored conversation, a file or a web page that is only named. What is not modelled is
read by its keys; a key that is written in escapes counts as such a name too, so that it is not hidden that way. Dialects
write such names with underscores or in camel case.
"""

from __future__ import annotations

import re

_NAMES = (
    "previous_response_id", "conversation", "container", "mcp_servers", "vector_store_ids", "file_id", "file_ids", "file_uri", "file_url",
    "image_uri", "image_url", "uri", "url", "server_url", "web_search_options", "search_parameters", "plugins", "cached_content",
)  # fmt: skip


def _in_camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


_REFERENCES = "|".join(sorted({*_NAMES, *map(_in_camel_case, _NAMES)}))
_NAME = re.compile(_REFERENCES + "|prompt")
_INSIDE = re.compile(rb'"(?:' + _REFERENCES.encode() + rb')"\s*:|\\u')
_PLAIN = frozenset({"metadata"})
_CALLERS_TOOLS = re.compile(r"custom|function|bash_\d+|text_editor_\d+|computer(?:_use)?_\d+|memory_\d+|local_shell|apply_patch")


def refers(name: str, json: bytes) -> bool:
    """Whether an extra or part of this name and JSON refers to content that is not in it."""
    return name not in _PLAIN and (_NAME.fullmatch(name) is not None or _INSIDE.search(json) is not None)


def is_callers_tool(kind: str) -> bool:
    """Whether a tool that is not modelled is carried out by the caller. A provider's own tools read what they find."""
    return _CALLERS_TOOLS.fullmatch(kind) is not None
