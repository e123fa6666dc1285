"""Checks a credential from the head of a request alone, before anything else of the request is looked at.

A credential that policy has vouched for is known for up to a minute, unless policy's revision changes: that decides only that the rest
of the request may be read, and who shares a bound. What the request itself wants is authorised afterwards, as ever. Refusals are not
remembered. Questions about one credential at the same time are one question, and how many are under way is bounded and shared out
among the addresses that strangers come from.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.errors import RuntimeFault
from llm_mesh_runtime.pressure import overloaded
from llm_mesh_runtime.shares import Party, Shares

if TYPE_CHECKING:
    from llm_mesh_runtime.access.revision import Revisions
    from llm_mesh_runtime.context import Caller

MAX_CREDENTIAL = 4096
MAX_PROJECT = 256
SELF, SELF_ACTION = "self", "self.get"
"""What every valid credential may ask about."""
_SHA256 = hashlib.sha256()
"""To be copied: making one looks the algorithm up each time, which costs several times the digest."""
_MAX_KNOWN = 16_384
_MAX_CHECKS = 256
_MAX_VOUCHED = 60.0
_OWNED = 120.0
"""Seconds for which a credential counts to its owner, after policy has vouched for it."""


class PolicyAnswer(NamedTuple):
    """What policy said about a credential."""

    caller: Caller
    age: float
    """Seconds for which a decision about what it may do counts."""
    current: bool
    """Whether the answer may be remembered: policy's revision has not changed meanwhile."""

    @property
    def vouched(self) -> float:
        """Seconds for which it is known that the credential is valid. Most answers are about requests, and nobody reads it."""
        message = self.caller.message
        if message is None or self.age <= 0:
            return 0.0
        expire = message.expire_time
        return min(_MAX_VOUCHED, expire.seconds + expire.nanos / 1e9 - time.time()) if expire.seconds else _MAX_VOUCHED


class AskPolicy(Protocol):
    """How a question about one credential reaches policy; the question itself is bound to it."""

    def __call__(self) -> Awaitable[PolicyAnswer]:
        """Policy's answer; raises its refusal."""


class Credentials:
    """The credentials that are known to this process."""

    def __init__(self, revisions: Revisions, *, most_checks: int = _MAX_CHECKS) -> None:
        self.revisions = revisions
        self.asked_by = ""
        """A service that checks heads without serving methods: the host follows policy's revision for it."""
        self._known: dict[bytes, tuple[float, int, Caller]] = {}
        self._owners: dict[bytes, tuple[float, Party]] = {}
        self._checks: dict[bytes, asyncio.Task[PolicyAnswer]] = {}
        self._places = Shares(most_checks)

    def known(self, credential: str, project: str) -> Caller | None:
        """Whose credential it is, where that is known."""
        entry = self._known.get(digest(credential, project))
        if entry is not None and time.monotonic() < entry[0] and self.revisions.current(entry[1]):
            return entry[2]
        return None

    def remember(self, credential: str, project: str, answer: PolicyAnswer) -> None:
        """Policy has vouched for a credential."""
        if answer.current:
            if len(self._known) >= _MAX_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[digest(credential, project)] = (time.monotonic() + answer.vouched, answer.caller.revision, answer.caller)

    def own(self, credential: str, project: str, caller: Caller) -> None:
        """Policy has said whose credential it is."""
        if caller.party is not None:
            key = digest(credential, project)
            if self._owners.pop(key, None) is None and len(self._owners) >= _MAX_KNOWN:
                del self._owners[next(iter(self._owners))]
            self._owners[key] = (time.monotonic() + _OWNED, caller.party)

    def party(self, credential: str, project: str, address: str) -> Party:
        """Who shares bounds for a credential that is to be checked: its last owner, else the address that it comes from.

        This decides nothing but whose share a request counts to until it ends.
        """
        owner = self._owners.get(digest(credential, project))
        return owner[1] if owner is not None and time.monotonic() < owner[0] else Party(address)

    async def checked(self, question: bytes, address: str, ask: AskPolicy) -> PolicyAnswer:
        """What policy says, asked once for all who want to know it now."""
        check = self._checks.get(question)
        if check is None:
            party = Party(address)
            if not self._places.take(party):
                raise overloaded()
            # Neither the deadline nor the leaving of the first who asks concerns the others.
            check = asyncio.get_running_loop().create_task(_awaited(ask), context=contextvars.Context(), name="credential check")
            self._checks[question] = check
            check.add_done_callback(lambda done: self._checked(question, party, done))
        return await asyncio.shield(check)

    def _checked(self, question: bytes, party: Party, check: asyncio.Task[PolicyAnswer]) -> None:
        del self._checks[question]
        self._places.give(party)
        if not check.cancelled():
            check.exception()  # those who waited have it; nobody may be left of them


def digest(credential: str, project: str) -> bytes:
    """What stands for a credential in memory."""
    begun = _SHA256.copy()
    begun.update(f"{credential}\x00{project}".encode("utf-8", "surrogatepass"))
    return begun.digest()


def missing_credential() -> RuntimeFault:
    """What whoever shows none is told."""
    return RuntimeFault(errors_pb2.ERROR_REASON_MISSING_CREDENTIAL, "no credential, or one that cannot be read")


async def _awaited(ask: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 (an Answer)
    return await ask()
