"""The messages of a chat request: how many tokens they have, and which text an echo repeats."""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.fields import RequestFields

_ROLES = ("system", "user", "assistant", "tool")


@dataclass(slots=True)
class OllamaConversation:
    """What a chat request says."""

    tokens: int = tokens.PER_REQUEST
    text: str = ""
    after_tool: bool = False


def conversation(body: RequestFields) -> OllamaConversation:
    """Reads and checks all messages."""
    spoken = OllamaConversation()
    for message in body.objects("messages"):
        role = message.text("role")
        if role not in _ROLES:
            raise RefusedError(f"invalid role: {role}")
        text = message.text_or("content") or ""
        spoken.tokens += tokens.PER_MESSAGE + tokens.count(text) + tokens.count(message.text_or("thinking") or "")
        spoken.tokens += _images(message) + _calls(message)
        if role in {"user", "tool"}:
            spoken.text, spoken.after_tool = text, role == "tool"
    return spoken


def _images(message: RequestFields) -> int:
    images = message.texts("images")
    for image in images:
        try:
            b64decode(image, validate=True)
        except (Base64Error, ValueError):
            raise RefusedError("illegal base64 data at input byte 0") from None
    return tokens.PER_IMAGE * len(images)


def _calls(message: RequestFields) -> int:
    count = 0
    for call in message.objects("tool_calls"):
        function = call.member("function")
        if function is None:
            raise call.missing("function")
        arguments = function.member("arguments")  # an object: a text is none of this dialect
        count += tokens.count(function.text("name")) + tokens.count(orjson.dumps({} if arguments is None else arguments.values).decode())
    return count
