"""What a server says of its models: their names from `GET /api/tags`, what each can do from `POST /api/show`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_count

_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "completion": ("generate", "streaming", "json_object", "json_schema", "seed", "logprobs"),
    "tools": ("tools", "parallel_tool_calls"),
    "thinking": ("reasoning",),
    "vision": ("image_input",),
    "audio": ("audio_input",),
    "embedding": ("embeddings",),
}
"""The server's words for what a model can do, and the registry's."""
_UNSERVED: Final = frozenset({"audio_input"})
"""What the dialect's messages have no place for."""
_SET_WINDOW: Final = re.compile(r"^num_ctx\s+(\d{1,9})\s*$", re.MULTILINE)
_WINDOW: Final = ".context_length"


def names(body: object) -> list[str]:
    """The names of all models."""
    return [each.text("model") or each.required_text("name") for each in Fields(body).each("models")]


def capabilities(shown: Fields) -> list[str]:
    """What a model can do, in the registry's words. Empty: the server does not say."""
    words = [word for word in shown.items("capabilities") if isinstance(word, str)]
    known = dict.fromkeys(each for word in words for each in _WORDS.get(word, ()))
    return [each for each in known if each not in _UNSERVED]


def context_window(shown: Fields) -> int:
    """Tokens of the model's context: what it is set to run with, else what it was trained with. 0: not said."""
    set_to = _SET_WINDOW.search(shown.text("parameters") or "")
    info: Mapping[str, Any] = shown.raw("model_info") if isinstance(shown.peek("model_info"), dict) else {}
    trained = next((loose_count(value) or 0 for key, value in info.items() if key.endswith(_WINDOW)), 0)
    if set_to is None:
        return trained
    return min(int(set_to[1]), trained or int(set_to[1]))
