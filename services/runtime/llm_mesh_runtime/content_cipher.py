"""Content at rest: AES-256-GCM, by a key that is not in the database and is derived for one purpose alone.

What a piece of content belongs to is authenticated with it: a row that is moved to another tenant, resource or place does not open.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from llm_mesh_runtime.seals import derive

_VERSION = b"\x01"
_NONCE = 12


class ContentCipher:
    """Encrypts and opens content. `purpose` tells services and their kinds of content apart."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._key = AESGCM(derive(secret, f"content/{purpose}"))

    def closed(self, content: bytes, *place: str) -> bytes:
        """The content, encrypted for a place, such as tenant, resource and number."""
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + nonce + self._key.encrypt(nonce, content, _packed(place))

    def opened(self, closed: bytes, *place: str) -> bytes | None:
        """The content. None: it was encrypted for another place or by another key, or was changed."""
        nonce = closed[1 : 1 + _NONCE]
        if closed[:1] != _VERSION or len(nonce) < _NONCE:
            return None
        try:
            return self._key.decrypt(nonce, closed[1 + _NONCE :], _packed(place))
        except InvalidTag:
            return None


def _packed(place: tuple[str, ...]) -> bytes:
    """Each part with its length before it, so that no two places are the same bytes."""
    parts = [part.encode() for part in place]
    return _VERSION + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
