"""Credentials by which lines are worked off. They are in memory only, and for less than a minute."""

from __future__ import annotations

from llm_mesh_batches.domain.ports import CallerDelegations
from llm_mesh_runtime.clock import Clock

_LEAST = 30.0
"""Seconds that a credential must be valid yet: the request is authorised when it reaches the gateway, which may be busy."""
_MOST = 1_024


class DelegatedCredentials:
    """The credentials of batches."""

    def __init__(self, delegations: CallerDelegations, clock: Clock) -> None:
        self._delegations = delegations
        self._clock = clock
        self._redeemed: dict[bytes, tuple[float, str]] = {}

    async def of(self, delegation: bytes) -> str:
        """A credential of the delegation. Raises policy's refusal, such as INVALID_CREDENTIAL once the key is revoked."""
        now = self._clock.now().timestamp()
        until, credential = self._redeemed.get(delegation, (0.0, ""))
        if until - now < _LEAST:
            answer = await self._delegations.redeem(delegation)
            until, credential = answer.expire_time.ToMicroseconds() / 1e6, answer.credential
            if len(self._redeemed) >= _MOST:
                self._redeemed.clear()
            self._redeemed[delegation] = until, credential
        return credential
