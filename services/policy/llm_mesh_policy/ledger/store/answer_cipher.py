"""How kept answers are encrypted: AES-256-GCM, by a key that is not in the database and is derived for this alone.

The place of an answer, its reservation and its type are authenticated with it: a row that is moved to another tenant, project, key or
reservation, or whose type is changed, does not open.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from llm_mesh_policy.ledger.domain.kept_answers import Place
from llm_mesh_runtime.seals import derive

PURPOSE = "policy/kept answers"
_VERSION = b"\x01"
_NONCE = 12


class Label(NamedTuple):
    """What an encrypted answer is bound to."""

    place: Place
    reservation: str
    type: str

    def packed(self) -> bytes:
        """Each part with its length before it, so that no two labels are the same bytes."""
        parts = [part.encode() for part in (*self.place, self.reservation, self.type)]
        return _VERSION + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class AnswerCipher:
    """Encrypts and opens answers."""

    def __init__(self, secret: bytes) -> None:
        self._key = AESGCM(derive(secret, PURPOSE))

    def closed(self, label: Label, content: bytes) -> bytes:
        """The content, encrypted."""
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + nonce + self._key.encrypt(nonce, content, label.packed())

    def opened(self, label: Label, closed: bytes) -> bytes | None:
        """The content. None: it was encrypted for another label or by another key, or was changed."""
        nonce = closed[1 : 1 + _NONCE]
        if closed[:1] != _VERSION or len(nonce) < _NONCE:
            return None
        try:
            return self._key.decrypt(nonce, closed[1 + _NONCE :], label.packed())
        except InvalidTag:
            return None
