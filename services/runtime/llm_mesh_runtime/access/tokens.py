"""Service tokens: how a service proves its name to a peer where there is no mutual TLS.

`v1.<caller>.<callee>.<expiry>.<mac>`: a MAC with a key that derives from the mesh's secret per caller. A token is good
for one callee and a few minutes.
"""

from __future__ import annotations

import hmac
import time

from llm_mesh_runtime.seals import derive

HEADER = "llm-mesh-service-token"
_LIFETIME = 300
_RENEW_BEFORE = 120
_SKEW = 60
_PARTS = 5
_MAX_KNOWN = 1024


class ServiceTokens:
    """Makes and checks tokens."""

    def __init__(self, secret: bytes) -> None:
        if not secret:
            raise ValueError("service tokens need the mesh's secret")
        self._secret = secret
        self._keys: dict[str, bytes] = {}
        self._made: dict[tuple[str, str], tuple[int, str]] = {}
        self._checked: dict[tuple[str, str], tuple[int, str]] = {}

    def token(self, caller: str, callee: str) -> str:
        """A token that is good for some minutes yet."""
        now = int(time.time())
        made = self._made.get((caller, callee))
        if made is None or made[0] - now < _RENEW_BEFORE:
            expiry = now + _LIFETIME
            head = f"v1.{caller}.{callee}.{expiry}"
            made = self._made[caller, callee] = (expiry, f"{head}.{self._mac(caller, head)}")
        return made[1]

    def caller_of(self, token: str, callee: str) -> str:
        """Who calls; empty where the token is forged, expired, or meant for another service."""
        now = int(time.time())
        known = self._checked.get((token, callee))
        if known is not None:
            return known[1] if now < known[0] else ""
        parts = token.split(".")
        if len(parts) != _PARTS or parts[0] != "v1" or parts[2] != callee or not parts[3].isdecimal() or not token.isascii():
            return ""
        caller, expiry = parts[1], int(parts[3])
        if not hmac.compare_digest(self._mac(caller, token.rpartition(".")[0]), parts[4]):
            return ""
        if not now < expiry <= now + _LIFETIME + _SKEW:
            return ""
        if len(self._checked) >= _MAX_KNOWN:
            self._checked.clear()
        self._checked[token, callee] = (expiry, caller)
        return caller

    def expiry_of(self, token: str) -> int:
        """When a token that `caller_of` has just believed ends, in seconds since the epoch; 0 for others."""
        return max((expiry for (known, _), (expiry, _) in self._checked.items() if known == token), default=0)

    def _mac(self, caller: str, head: str) -> str:
        key = self._keys.get(caller)
        if key is None:
            key = derive(self._secret, "service/" + caller)
            if len(self._keys) < _MAX_KNOWN:
                self._keys[caller] = key
        return hmac.digest(key, head.encode(), "sha256").hex()
