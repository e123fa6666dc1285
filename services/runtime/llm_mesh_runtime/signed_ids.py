"""Ids that cannot be guessed, and are valid for one kind of resource of one tenant only.

An id is 16 random bytes and ten of a proof over them, the kind and the tenant. Whether it may be looked up is known without a store: an id
that was guessed, changed or taken to another tenant is told from the tenant's own ones before anything is read.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets

from llm_mesh_runtime.seals import derive

_RANDOM, _PROOF = 16, 10
_LENGTH = 42
"""Of the part behind the prefix: 26 bytes in base 32."""
_PADDING = "======"


class SignedIds:
    """Makes and checks ids. `purpose` tells services apart."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._key = derive(secret, f"ids/{purpose}")

    def new(self, prefix: str, *tenant: str) -> str:
        """A fresh id, such as `file-…` for the prefix `file-`: behind it 42 of a-z and 2-7."""
        random = secrets.token_bytes(_RANDOM)
        return prefix + base64.b32encode(random + self._proof(random, prefix, tenant)).decode().rstrip("=").lower()

    def valid(self, text: str, prefix: str, *tenant: str) -> bool:
        """Whether the id is one of that kind and tenant."""
        body = text.removeprefix(prefix)
        if body == text or len(body) != _LENGTH or not body.isascii() or body != body.lower():
            return False
        try:
            packed = base64.b32decode(body.upper() + _PADDING)
        except binascii.Error:
            return False
        random, proof = packed[:_RANDOM], packed[_RANDOM:]
        canonical = base64.b32encode(packed).decode().rstrip("=").lower() == body  # the last digit has two bits that no byte holds
        return hmac.compare_digest(proof, self._proof(random, prefix, tenant)) and canonical

    def _proof(self, random: bytes, prefix: str, tenant: tuple[str, ...]) -> bytes:
        bound = "\x00".join((prefix, *tenant)).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, random + bound, "sha256")[:_PROOF]
