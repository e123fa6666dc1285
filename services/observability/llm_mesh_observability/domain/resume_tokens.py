"""Resume tokens of tails: where a tail goes on, in a form that tells its reader nothing.

A position is a sequence of the whole ledger. In the clear it would tell each tenant how many requests all others make.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from llm_mesh_runtime.errors import invalid

_HALF = 8
_LENGTH = 22
"""Characters of a token: two halves in base64, without padding."""


class ResumeTokens:
    """Makes and reads tokens by a key."""

    def __init__(self, key: bytes) -> None:
        self._proof_key = hmac.digest(key, b"proof", "sha256")
        self._mask_key = hmac.digest(key, b"mask", "sha256")

    def token(self, sequence: int) -> str:
        """The token of a position: a proof of it, and the position under a mask that follows from the proof."""
        plain = sequence.to_bytes(_HALF, "big")
        proof = self._proof(plain)
        return base64.urlsafe_b64encode(proof + self._masked(proof, plain)).decode().rstrip("=")

    def sequence(self, token: str) -> int | None:
        """The position that a token stands for; None without a token."""
        if not token:
            return None
        try:
            raw = base64.b64decode(token + "==", altchars=b"-_", validate=True) if len(token) == _LENGTH else b""
        except (binascii.Error, ValueError):
            raw = b""
        plain = self._masked(raw[:_HALF], raw[_HALF:])
        if len(raw) != 2 * _HALF or not hmac.compare_digest(self._proof(plain), raw[:_HALF]):
            raise invalid("resume_token", "must be from an earlier answer")
        return int.from_bytes(plain, "big")

    def _proof(self, plain: bytes) -> bytes:
        return hmac.digest(self._proof_key, plain, "sha256")[:_HALF]

    def _masked(self, proof: bytes, plain: bytes) -> bytes:
        mask = hmac.digest(self._mask_key, proof, "sha256")
        return bytes(one ^ other for one, other in zip(plain, mask, strict=False))
