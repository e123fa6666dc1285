"""Proofs of thinking on their way to clients of the dialect and back: `thoughtSignature` is bytes, so a proof is its text in base64.

A client sends a proof back where it stood. One that the mesh did not give, such as a provider's own, keeps the form in which it came.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.gemini.media import decoded_text
from llm_mesh_dialects.gemini.vocabulary import PLACEHOLDER

_REDACTED: Final = "redacted:"
"""How the proof begins of reasoning that a provider shows only encrypted."""


def written_signature(reasoning: content_pb2.Reasoning) -> str:
    """The `thoughtSignature` of reasoning; empty where it has no proof."""
    if reasoning.redacted:
        return _encoded(_REDACTED.encode() + reasoning.redacted)
    return _encoded(reasoning.signature.encode()) if reasoning.signature else ""


def put_signature(reasoning: content_pb2.Reasoning, signature: str, path: str) -> None:
    """Reads a client's `thoughtSignature`, which is not empty."""
    raw = decoded_text(signature)
    if raw is None:
        raise DialectError(path, "expected base64")
    if raw.startswith(_REDACTED.encode()):
        reasoning.redacted = raw.removeprefix(_REDACTED.encode())
        return
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = ""
    reasoning.signature = text if text.isprintable() and text else signature


def is_proof(signature: object) -> bool:
    """Whether a client's `thoughtSignature` is one, and not the placeholder that providers document for calls of others."""
    return bool(signature) and signature != PLACEHOLDER and signature != _encoded(PLACEHOLDER.encode())


def _encoded(raw: bytes) -> str:
    return b64encode(raw).decode("ascii")
