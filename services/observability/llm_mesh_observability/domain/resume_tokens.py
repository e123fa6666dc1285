"""Resume tokens of tails: where a tail goes on, in a form that tells its reader nothing.

A position is a sequence of the whole ledger. In the clear it would tell each tenant how many requests all others make; and where one
position always had the same token, two tails after another would tell whether others have made any.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets

from llm_mesh_runtime.errors import invalid

_PART = 8
_LENGTH = 32
"""Characters of a token: three parts in base64."""


class ResumeTokens:
    """Makes and reads tokens by a key."""

    def __init__(self, key: bytes) -> None:
        self._proof_key = hmac.digest(key, b"proof", "sha256")
        self._mask_key = hmac.digest(key, b"mask", "sha256")

    def token(self, sequence: int) -> str:
        """A new token of a position: chance, the position under a mask that follows from it, and a proof of both."""
        plain, chance = sequence.to_bytes(_PART, "big"), secrets.token_bytes(_PART)
        return base64.urlsafe_b64encode(chance + self._masked(chance, plain) + self._proof(chance, plain)).decode()

    def sequence(self, token: str) -> int | None:
        """The position that a token stands for; None without a token."""
        if not token:
            return None
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True) if len(token) == _LENGTH else b""
        except (binascii.Error, ValueError):
            raw = b""
        chance, masked, proof = raw[:_PART], raw[_PART : 2 * _PART], raw[2 * _PART :]
        plain = self._masked(chance, masked)
        if len(raw) != 3 * _PART or not hmac.compare_digest(self._proof(chance, plain), proof):
            raise invalid("resume_token", "must be from an earlier answer")
        return int.from_bytes(plain, "big")

    def _proof(self, chance: bytes, plain: bytes) -> bytes:
        return hmac.digest(self._proof_key, chance + plain, "sha256")[:_PART]

    def _masked(self, chance: bytes, plain: bytes) -> bytes:
        mask = hmac.digest(self._mask_key, chance, "sha256")
        return bytes(one ^ other for one, other in zip(plain, mask, strict=False))
