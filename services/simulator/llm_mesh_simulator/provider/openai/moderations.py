"""Moderations: a text is harmful in the categories whose words it has."""

from typing import Any

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.words import digest
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.openai.method import Document, MethodAnswer
from llm_mesh_simulator.provider.reply import AnswerIdentity

_CATEGORIES = ("harassment", "harassment/threatening", "hate", "illicit", "self-harm", "sexual", "violence")
_PARTS = frozenset({"text", "image_url"})


def read(body: RequestFields) -> MethodAnswer:
    """Reads and checks a request."""
    model, items = body.text("model"), _items(body)
    results = [_result(text, images) for text, images in items]
    used = sum(tokens.count(text) + images * tokens.PER_IMAGE for text, images in items)

    def document(identity: AnswerIdentity, usage: Usage | None) -> Document:
        made: dict[str, Any] = {"id": f"modr-{identity.number}", "model": model, "results": results}
        return made if usage is None else made | {"usage": {"prompt_tokens": usage.prompt, "total_tokens": usage.prompt}}

    return MethodAnswer(document, used)


def _items(body: RequestFields) -> list[tuple[str, int]]:
    """Each text by itself, or all parts together."""
    content = body.values.get("input")
    if isinstance(content, str):
        content = [content]
    if not isinstance(content, list) or not content:
        raise RefusedError("'$.input' is invalid. Please check the API reference.", param="input")
    if all(isinstance(each, str) for each in content):
        return [(each, 0) for each in content]
    parts = list(body.objects("input"))
    if any(part.text("type") not in _PARTS for part in parts):
        raise RefusedError("Expected parts of type 'text' or 'image_url'.", param="input")
    return [(" ".join(part.text_or("text") or "" for part in parts), sum(part.text("type") == "image_url" for part in parts))]


def _result(text: str, images: int) -> dict[str, Any]:
    words = text.lower()
    flags = {name: name.partition("/")[0] in words for name in _CATEGORIES}
    scores = {name: _score(text, name, flagged=flag) for name, flag in flags.items()}
    applied = ["text", "image"] if images else ["text"]
    return {
        "flagged": any(flags.values()),
        "categories": flags,
        "category_scores": scores,
        "category_applied_input_types": dict.fromkeys(_CATEGORIES, applied),
    }


def _score(text: str, name: str, *, flagged: bool) -> float:
    share = int.from_bytes(digest(name, text)[:2], "big") / 0xFFFF / 10
    return 1 - share if flagged else share
