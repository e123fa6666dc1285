"""Items of reasoning as proofs of the typed payload: everything of an item but its text, which stands beside the proof.

An item goes back whole, in its place, to where it came from. How its text is divided is a part of the proof, since the typed payload has
one text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import dumped, parsed

BREAK: Final = "\n\n"
"""Stands between two paragraphs of reasoning."""
OF_ITEM: Final = "r"
"""The place of a proof that stands by itself."""
OF_CALL_AFTER: Final = "n"
"""The place of a proof of the tool call that follows: clients that keep only the call keep it there."""
_TEXTS: Final = {"summary": "summary_text", "content": "reasoning_text"}
_IDENTITY: Final = ("id", "encrypted_content")


def text_of_item(item: Mapping[str, Any]) -> str:
    """What was thought, as far as it is shown."""
    return BREAK.join(text for key in _TEXTS for text in _texts(item, key))


def proof_of_item(item: Mapping[str, Any]) -> str:
    """The proof; empty where the provider would not know the item again: it keeps none, and gave nothing to tell it by."""
    if not item.get("encrypted_content"):
        return ""
    lengths = {key: [len(text) for text in texts] for key in _TEXTS if (texts := _texts(item, key))}
    return dumped({**{key: item[key] for key in _IDENTITY if item.get(key)}, **lengths}, "encrypted_content").decode()


def item_of(proof: str, text: str, field: str) -> dict[str, Any]:
    """The item that goes back. Raises `DialectError` where the proof is none of this dialect."""
    value = parsed(proof, field)
    if not isinstance(value, dict) or not isinstance(value.get("encrypted_content"), str):
        raise DialectError(field, "expected a proof as it came in an answer")
    item: dict[str, Any] = {"type": "reasoning", **{key: value[key] for key in _IDENTITY if isinstance(value.get(key), str)}, "summary": []}
    begin = 0
    for key, kind in _TEXTS.items():
        lengths = value.get(key)
        for length in lengths if isinstance(lengths, list) else ():
            piece = text[begin : begin + length] if isinstance(length, int) and length > 0 else ""
            if piece:
                item.setdefault(key, []).append({"type": kind, "text": piece})
                begin += length + len(BREAK)
    return item


def _texts(item: Mapping[str, Any], key: str) -> list[str]:
    parts = item.get(key)
    texts = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return [text for text in texts if isinstance(text, str) and text]
