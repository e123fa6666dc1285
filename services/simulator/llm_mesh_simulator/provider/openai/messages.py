"""The messages of a chat request: how many tokens they have, and which text an echo repeats."""

from dataclasses import dataclass

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.fields import RequestFields

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")


@dataclass(slots=True)
class Conversation:
    """What a chat request says."""

    tokens: int = tokens.PER_REQUEST
    text: str = ""
    after_tool: bool = False


def conversation(body: RequestFields) -> Conversation:
    """Reads and checks all messages."""
    if body.array("messages") is None:
        raise body.missing("messages")
    spoken = Conversation()
    for message in body.objects("messages"):
        role = message.text("role")
        if role not in _ROLES:
            known = ", ".join(f"'{each}'" for each in _ROLES)
            path = message.path("role")
            raise RefusedError(f"Invalid value: '{role}'. Supported values are: {known}.", param=path, code="invalid_value")
        text = _content(message, role, spoken)
        spoken.tokens += tokens.PER_MESSAGE
        if role in {"user", "tool", "function"}:
            spoken.text = text
            spoken.after_tool = role != "user"
    if not body.array("messages"):
        message_text = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
        raise RefusedError(message_text, param="messages", code="empty_array")
    return spoken


def _content(message: RequestFields, role: str, spoken: Conversation) -> str:
    content = message.values.get("content")
    if role == "tool":
        message.text("tool_call_id")
    if isinstance(content, str):
        spoken.tokens += tokens.count(content)
        return content
    for call in message.objects("tool_calls"):
        function = call.member("function") or call.member("custom")
        if function is None:
            raise call.missing("function")
        arguments = function.text_or("arguments") or function.text_or("input") or ""
        spoken.tokens += tokens.count(function.text("name")) + tokens.count(arguments)
    if content is None:
        if role != "assistant":
            raise message.missing("content")
        return ""
    return "".join([_part(part, spoken) for part in message.objects("content")])


def _part(part: RequestFields, spoken: Conversation) -> str:
    kind = part.text("type")
    if kind in {"text", "refusal"}:
        text = part.text(kind)
        spoken.tokens += tokens.count(text)
        return text
    if kind == "image_url":
        image = part.member("image_url")
        if image is None:
            raise part.missing("image_url")
        image.text("url")
        spoken.tokens += tokens.PER_IMAGE_LOW if image.values.get("detail") == "low" else tokens.PER_IMAGE
    elif kind == "input_audio":
        spoken.tokens += tokens.PER_AUDIO
    elif kind == "file":
        spoken.tokens += tokens.PER_FILE
    else:
        known = "'text', 'image_url', 'input_audio', 'refusal', 'file'"
        path = part.path("type")
        raise RefusedError(f"Invalid value: '{kind}'. Supported values are: {known}.", param=path, code="invalid_value")
    return ""
