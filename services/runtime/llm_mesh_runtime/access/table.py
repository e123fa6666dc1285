"""The who-may-call-whom table: which service may call which, as their declarations say."""

from __future__ import annotations

from collections.abc import Iterable

from llm_mesh.services import CLIENTS, SERVICES

MAY_CALL: tuple[tuple[str, str], ...] = tuple(
    (caller, callee) for each in (*SERVICES, *CLIENTS) for caller in each.identities for callee in each.calls
)
"""Pairs of caller and callee, from the declarations of services. A trailing `*` stands for any rest of the name. Every service may call
itself."""

MAY_RELAY: tuple[tuple[str, str], ...] = tuple((each.name, callee) for each in SERVICES for callee in each.relays)
"""Pairs of which the first passes on calls of public methods to the second, with the credential of whoever made them. It lends them
nothing: the credential decides as if its owner had asked the second one, and without a credential `MAY_CALL` does."""

FOR_EVERY_SERVICE = frozenset(
    {
        "/llm_mesh.policy.v1.PolicyService/Authorize",
        "/llm_mesh.policy.v1.PolicyService/WatchRevision",
        "/llm_mesh.link.v1.LinkService/Connect",
    }
)
"""Methods that every service may call: the access stage itself needs the first two, and the calls that the third carries are
checked one by one."""


_ACTS_FOR_CALLERS = frozenset(each.name for each in SERVICES if each.acts_for_callers)

ONLY_FOR = {
    "/llm_mesh.policy.v1.PolicyService/RecordChanges": frozenset(each.name for each in SERVICES if each.records_changes),
    "/llm_mesh.policy.v1.PolicyService/CreateDelegation": _ACTS_FOR_CALLERS,
    "/llm_mesh.policy.v1.PolicyService/RedeemDelegation": _ACTS_FOR_CALLERS,
}
"""Methods that only some of the services that may call theirs may call: others keep no resources whose changes are recorded, and do nothing
for callers that have left."""


class CallTable:
    """Answers whether a service may call another."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = MAY_CALL, *, extended: Iterable[str] = ()) -> None:
        self._pairs = (*pairs, *map(_pair, extended))
        self._known: dict[tuple[str, str], bool] = {}

    def allows(self, caller: str, callee: str, method: str = "") -> bool:
        """Whether `caller` may call the method of `callee`."""
        if method in FOR_EVERY_SERVICE:
            return True
        return caller in ONLY_FOR.get(method, (caller,)) and self._allows(caller, callee)

    @staticmethod
    def relays(caller: str, callee: str) -> bool:
        """Whether `caller` may pass on to `callee` what others ask with a credential of their own."""
        return any(_matches(a, caller) and _matches(b, callee) for a, b in MAY_RELAY)

    def _allows(self, caller: str, callee: str) -> bool:
        pair = (caller, callee)
        known = self._known.get(pair)
        if known is None:
            known = caller == callee or any(_matches(a, caller) and _matches(b, callee) for a, b in self._pairs)
            if len(self._known) < 1024:  # noqa: PLR2004 - names are few; a stranger must not make them many
                self._known[pair] = known
        return known


def _pair(text: str) -> tuple[str, str]:
    caller, arrow, callee = (part.strip() for part in text.partition(">"))
    if not (caller and arrow and callee):
        raise ValueError(f"{text!r} is not of the form `caller>callee`")
    return caller, callee


def _matches(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
