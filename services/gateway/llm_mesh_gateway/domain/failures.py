"""What a failed attempt means: whether the plan moves on, and whether the provider may have begun.

Before the commit point a failure moves on in the plan, with few exceptions: a request that a provider refused as wrong would be
refused again in the same dialect, and a provider's verdict on content is not shopped around. Whether a provider may bill is told by
the adapter (`sent` in the metadata); the table below holds where it does not say so.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from llm_mesh_runtime.errors import MeshError


class Verdict(enum.Enum):
    """What a failure before the commit point leads to."""

    NEXT = "the next attempt"
    OTHER_DIALECT = "the next attempt in another dialect"
    STOP = "the end"


class ReasonMeaning(NamedTuple):
    """What a reason says about the attempt."""

    verdict: Verdict
    sent: bool
    """Something may have reached the provider, unless the adapter says otherwise."""
    billed: bool
    """The provider may have worked on it, and may charge for it."""


_NOT_SENT = ReasonMeaning(Verdict.NEXT, sent=False, billed=False)
_ANSWERED = ReasonMeaning(Verdict.NEXT, sent=True, billed=False)
_BROKEN = ReasonMeaning(Verdict.NEXT, sent=True, billed=True)

_MEANINGS = {
    ("adapter.llm-mesh", "GRANT_MISMATCH"): ReasonMeaning(Verdict.STOP, sent=False, billed=False),
    ("adapter.llm-mesh", "UNKNOWN_ENDPOINT"): _NOT_SENT,
    ("adapter.llm-mesh", "NO_CREDENTIAL"): _NOT_SENT,
    ("adapter.llm-mesh", "ADDRESS_NOT_ALLOWED"): _NOT_SENT,
    ("adapter.llm-mesh", "PROVIDER_UNREACHABLE"): _NOT_SENT,
    ("adapter.llm-mesh", "PROVIDER_RESET"): _BROKEN,
    ("adapter.llm-mesh", "PROVIDER_TIMEOUT"): _BROKEN,
    ("adapter.llm-mesh", "PROVIDER_RATE_LIMITED"): _ANSWERED,
    ("adapter.llm-mesh", "PROVIDER_ERROR"): _ANSWERED,
    ("adapter.llm-mesh", "PROVIDER_REJECTED"): ReasonMeaning(Verdict.OTHER_DIALECT, sent=True, billed=False),
    ("adapter.llm-mesh", "PROVIDER_UNAUTHENTICATED"): _ANSWERED,
    ("adapter.llm-mesh", "PROVIDER_MODEL_NOT_FOUND"): _ANSWERED,
    ("adapter.llm-mesh", "PROVIDER_MALFORMED"): _ANSWERED,
    ("adapter.llm-mesh", "CONTEXT_EXCEEDED"): _ANSWERED,  # a larger model may stand next in the plan
    ("adapter.llm-mesh", "PROVIDER_FILTERED"): ReasonMeaning(Verdict.STOP, sent=True, billed=False),
    ("adapter.llm-mesh", "BREAKER_OPEN"): _NOT_SENT,
    ("adapter.llm-mesh", "BULKHEAD_FULL"): _NOT_SENT,
    ("adapter.llm-mesh", "FIDELITY_LOST"): _NOT_SENT,
    ("adapter.llm-mesh", "UNSUPPORTED"): _NOT_SENT,
    ("adapter.llm-mesh", "EXTRA_NOT_ALLOWED"): _NOT_SENT,  # the next endpoint's operator may allow it
    ("adapter.llm-mesh", "MEDIA_ADDRESS_NOT_ALLOWED"): _NOT_SENT,
    # The hop list is the caller's own: what it leads to is no fault of the target, and the next one may be no mesh.
    ("adapter.llm-mesh", "REQUEST_LOOPS"): ReasonMeaning(Verdict.NEXT, sent=True, billed=False),
    ("adapter.llm-mesh", "ANSWERED_BEFORE"): ReasonMeaning(Verdict.STOP, sent=True, billed=False),
    ("mesh.llm-mesh", "INVALID_SEAL"): ReasonMeaning(Verdict.STOP, sent=False, billed=False),
    ("mesh.llm-mesh", "INVALID_FIELD"): ReasonMeaning(Verdict.OTHER_DIALECT, sent=False, billed=False),
    ("mesh.llm-mesh", "MESSAGE_TOO_LARGE"): ReasonMeaning(Verdict.OTHER_DIALECT, sent=False, billed=False),
    ("mesh.llm-mesh", "MALFORMED_MESSAGE"): ReasonMeaning(Verdict.OTHER_DIALECT, sent=False, billed=False),
    ("mesh.llm-mesh", "MESH_ONLY"): _NOT_SENT,
    ("mesh.llm-mesh", "CALLER_NOT_ALLOWED"): _NOT_SENT,
    ("mesh.llm-mesh", "DEADLINE_EXCEEDED"): ReasonMeaning(Verdict.STOP, sent=True, billed=True),  # it is the caller's own
    ("mesh.llm-mesh", "OVERLOADED"): _NOT_SENT,
    ("mesh.llm-mesh", "DRAINING"): _NOT_SENT,
    ("mesh.llm-mesh", "NOT_IMPLEMENTED"): _NOT_SENT,
    ("mesh.llm-mesh", "PEER_UNAVAILABLE"): _ANSWERED,  # the adapter is gone: whether it had sent is not known, and not charged for
}
_FAULTS_OF_THE_CALLER = {"INVALID_ARGUMENT", "FAILED_PRECONDITION"}
OPERATOR_FAULTS = frozenset({
    "UNKNOWN_ENDPOINT", "NO_CREDENTIAL", "ADDRESS_NOT_ALLOWED", "PROVIDER_UNAUTHENTICATED", "PROVIDER_MODEL_NOT_FOUND", "GRANT_MISMATCH",
    "NO_PRICE", "PRICE_UNKNOWN",
})  # fmt: skip
"""Reasons that only the mesh's operator can mend: `llm_mesh_operator_faults_total` counts them."""
_RATE_LIMIT = "PROVIDER_RATE_LIMITED"


def meaning_of(failure: MeshError) -> ReasonMeaning:
    """What the failure means; reasons that this build does not know may have cost something and move on."""
    known = _MEANINGS.get((failure.domain, failure.reason_name), _BROKEN)
    sent = failure.metadata.get("sent")
    if sent == "false":
        return ReasonMeaning(known.verdict, sent=False, billed=False)
    if sent == "true":
        return ReasonMeaning(known.verdict, sent=True, billed=known.billed)
    return known


def same_fault(failures: list[MeshError]) -> bool:
    """Whether all attempts failed alike by what was asked, or by rate limits, so that the reason itself helps more than a list."""
    first = failures[0]
    alike = len({failure.reason_name for failure in failures}) == 1
    return alike and (first.code.name in _FAULTS_OF_THE_CALLER or first.reason_name == _RATE_LIMIT)
