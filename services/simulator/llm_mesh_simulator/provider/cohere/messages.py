"""The messages and documents of a chat request: how many tokens they have, and which text an echo repeats."""

from dataclasses import dataclass

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.fields import RequestFields

_ROLES = ("system", "user", "assistant", "tool")


@dataclass(slots=True)
class CohereConversation:
    """What a chat request says."""

    tokens: int = tokens.PER_REQUEST
    text: str = ""
    after_tool: bool = False


def conversation(body: RequestFields) -> CohereConversation:
    """Reads and checks all messages, and the documents beside them."""
    if not body.array("messages"):
        raise RefusedError("invalid request: messages is required and must have at least one message.")
    spoken = CohereConversation()
    for message in body.objects("messages"):
        role = message.text("role")
        if role not in _ROLES:
            raise RefusedError(f"invalid role '{role}', expected one of {', '.join(_ROLES)}")
        if role == "tool":
            message.text("tool_call_id")
        text = _content(message, spoken)
        spoken.tokens += tokens.PER_MESSAGE + tokens.count(message.text_or("tool_plan") or "")
        _calls(message, spoken)
        if role in {"user", "tool"}:
            spoken.text, spoken.after_tool = text, role == "tool"
    if documents := body.array("documents"):
        spoken.tokens += tokens.count(orjson.dumps(documents).decode())
    return spoken


def _content(message: RequestFields, spoken: CohereConversation) -> str:
    content = message.values.get("content")
    if isinstance(content, str):
        spoken.tokens += tokens.count(content)
        return content
    return "".join(_part(part, spoken) for part in message.objects("content"))


def _part(part: RequestFields, spoken: CohereConversation) -> str:
    kind = part.text("type")
    if kind in {"text", "thinking"}:
        text = part.text(kind)
        spoken.tokens += tokens.count(text)
        return text if kind == "text" else ""
    if kind == "image_url":
        image = part.member("image_url")
        if image is None:
            raise part.missing("image_url")
        image.text("url")
        spoken.tokens += tokens.PER_IMAGE_LOW if image.values.get("detail") == "low" else tokens.PER_IMAGE
    elif kind == "document":
        spoken.tokens += tokens.count(orjson.dumps(part.values).decode())
    else:
        raise RefusedError(f"invalid content type '{kind}' at {part.path('type')}")
    return ""


def _calls(message: RequestFields, spoken: CohereConversation) -> None:
    for call in message.objects("tool_calls"):
        call.text("id")
        function = call.member("function")
        if function is None:
            raise call.missing("function")
        spoken.tokens += tokens.count(function.text("name")) + tokens.count(function.text_or("arguments") or "")
