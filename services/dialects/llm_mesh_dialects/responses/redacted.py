"""Reasoning that a provider hides, such as Anthropic's redacted thinking: the dialect has one place for it and for proofs."""

from __future__ import annotations

from typing import Final

from llm_mesh_dialects.openai import media

_MARK: Final = "redacted:"


def encrypted_of(redacted: bytes) -> str:
    """What stands for it in `encrypted_content`."""
    return f"{_MARK}{media.encoded(redacted)}"


def redacted_of(encrypted: str, field: str) -> bytes:
    """The hidden reasoning; empty where `encrypted_content` is a proof. Raises `DialectError` where it is damaged."""
    return media.decoded(encrypted.removeprefix(_MARK), field) if encrypted.startswith(_MARK) else b""
