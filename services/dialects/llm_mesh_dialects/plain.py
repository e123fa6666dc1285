"""The plain text of parts that only their own dialect models, for targets of other dialects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import parsed

_TEXTUAL: Final = frozenset({("anthropic", "search_result"), ("anthropic", "document"), ("anthropic", "compaction")})


def text_of(part: content_pb2.OpaquePart) -> str:
    """What the part says in words, such as the texts of a search result; empty where it is not made of texts."""
    if (part.dialect, part.type) not in _TEXTUAL:
        return ""
    whole = parsed(part.json)
    return "\n".join(_texts(whole)) if isinstance(whole, dict) else ""


def _texts(block: dict[str, Any]) -> Iterator[str]:
    source = block.get("source")
    for each in (block.get("title"), source):
        if isinstance(each, str) and each:
            yield each
    inner = source.get("content") if isinstance(source, dict) else block.get("content")
    for each in [inner] if isinstance(inner, str) else inner if isinstance(inner, list) else []:
        text = each.get("text") if isinstance(each, dict) else each
        if isinstance(text, str) and text:
            yield text
