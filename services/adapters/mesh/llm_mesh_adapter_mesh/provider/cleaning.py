"""What another mesh says, as it may go on: without our own credentials, and without fields that no contract here has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_mesh_adapter_kit.redaction import Redaction


def cleaned(message: Any, redaction: Redaction) -> Any:  # noqa: ANN401 (any message)
    """The same message. Only one that repeats a credential is looked through field by field."""
    message.DiscardUnknownFields()
    raw = message.SerializeToString()
    if redaction.bytes_of(raw) != raw:
        _redact(message, redaction)
    return message


def cleaned_texts(texts: Mapping[str, str], redaction: Redaction) -> dict[str, str]:
    """The same of the metadata of a failure."""
    return {redaction.text_of(name): redaction.text_of(text) for name, text in texts.items()}


def _redact(message: Any, redaction: Redaction) -> None:  # noqa: ANN401 (any message)
    for field, value in message.ListFields():
        if field.cpp_type == field.CPPTYPE_MESSAGE:
            for each in value if field.is_repeated else (value,):
                _redact(each, redaction)
        elif field.cpp_type == field.CPPTYPE_STRING:
            if field.is_repeated:
                value[:] = [_without(each, redaction) for each in value]
            else:
                setattr(message, field.name, _without(value, redaction))


def _without(value: str | bytes, redaction: Redaction) -> str | bytes:
    return redaction.text_of(value) if isinstance(value, str) else redaction.bytes_of(value)
