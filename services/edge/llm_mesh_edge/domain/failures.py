"""What a failure is to HTTP: its status, whether a client should try again, and where in the client's own body it lies.

Stock SDKs repeat on 408, 409, 429 and 5xx by themselves. A request that was charged or may have been, or that a budget refused, must
not be repeated unasked: each repetition costs again, or is in vain. Where a provider failed in passing and nothing was charged, they
are told to repeat (`x-should-retry: true`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from llm_mesh_edge.domain.places import Body, Place
from llm_mesh_edge.domain.receipts import Pairs, decimal, decision_header, first_request_header, screened_header
from llm_mesh_runtime.errors import MeshError

_REPEATED_BY_SDKS = {408, 409, 429}
_SERVER = 500
_WORTH_REPEATING = {
    ("policy.llm-mesh", "LIMIT_EXCEEDED"),
    ("policy.llm-mesh", "IDEMPOTENCY_IN_PROGRESS"),
    ("policy.llm-mesh", "ADMISSION_EXPIRED"),
    ("mesh.llm-mesh", "OVERLOADED"),
    ("mesh.llm-mesh", "DRAINING"),
    ("mesh.llm-mesh", "STORE_UNAVAILABLE"),
    ("mesh.llm-mesh", "PEER_UNAVAILABLE"),
    ("mesh.llm-mesh", "SCHEMA_MISMATCH"),
}
_COMPLETED = ("policy.llm-mesh", "IDEMPOTENCY_COMPLETED")
_CARRIED_OUT = {"adapter.llm-mesh", "gateway.llm-mesh"}
_REFUSING = {"policy.llm-mesh", "router.llm-mesh", "catalogue.llm-mesh"}
"""What these say without a charge, they say before anything is sent."""
_NEVER_SENT = {"PROVIDER_UNREACHABLE", "BREAKER_OPEN", "BULKHEAD_FULL"}
_EXTRA = re.compile(r"extras\[[a-z]+\.([^\]]+)\](?:\.json)?")
_ALIKE = (
    (re.compile(r"^input\.(?:sampling\.)?"), ""),
    (re.compile(r"^options\.prompt\.messages\b"), "llm_mesh.prompt.messages"),
    (re.compile(r"^options\.idempotency_key$"), "Idempotency-Key"),
    (re.compile(r"^options\.prompt\.variables_json"), "llm_mesh.prompt.variables"),
    (re.compile(r"^options\.tags\[(.*)\]$"), r"llm_mesh.tags.\1"),
    (re.compile(r"^options\."), "llm_mesh."),
    (re.compile(r"^(?=prompt\.|project$)"), "llm_mesh."),
)


class ProviderWords(NamedTuple):
    """How a provider classes its failure. Empty where no provider did."""

    code: str = ""
    type: str = ""
    exhausted: bool = False
    """A quota is used up."""


NO_WORDS = ProviderWords()


class First(NamedTuple):
    """The receipt of the request that a refused one repeats."""

    request: str
    nanos: int
    currency: str
    input_tokens: int
    output_tokens: int
    outcome: str

    def field(self) -> dict[str, object]:
        """In a body."""
        return {
            "request": self.request,
            "cost": decimal(self.nanos),
            "currency": self.currency,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "outcome": self.outcome,
        }


class FailureCharge(NamedTuple):
    """What a failed request was charged."""

    nanos: int
    currency: str = ""
    reservation: str = ""
    first: First | None = None

    def headers(self) -> Pairs:
        """Those of an answer: see `receipts`."""
        fields = ((b"x-llm-mesh-cost-currency", self.currency), (b"x-llm-mesh-reservation", self.reservation))
        pairs = [(b"x-llm-mesh-cost", decimal(self.nanos).encode()), *[(name, value.encode()) for name, value in fields if value]]
        return pairs if self.first is None else pairs + first_request_header(self.first.request)

    def field(self) -> dict[str, object]:
        """The same in a body, for streams that have begun."""
        members: dict[str, object] = {"cost": decimal(self.nanos), "currency": self.currency, "reservation": self.reservation}
        if self.first is not None:
            members["first"] = self.first.field()
        return {name: value for name, value in members.items() if value}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as an HTTP client is told it, in whatever dialect's shape."""

    status: int
    code: str
    message: str
    param: str = ""
    """The field that is wrong: as the client's body names it, or as the typed contract does (see `named`)."""
    retry_after: float | None = None
    repeat: bool = False
    """Whether a client should try again by itself."""
    provider: ProviderWords = NO_WORDS
    charge: FailureCharge | None = None
    """None: it is not known, or there was nothing to charge for."""
    allow: str = ""
    """Methods that the resource has, where the method was wrong."""
    decision: str = ""
    """The routing decision. Empty: the request failed before it was routed."""
    screened: str = ""
    """What screening found until then, as the header says it. Empty: nothing."""
    closes: bool = False
    """The connection cannot be used again: the body was not read."""

    def headers(self) -> Pairs:
        """What stands beside the body."""
        pairs: Pairs = []
        if self.retry_after is not None:
            pairs.append((b"retry-after", b"%d" % max(1, math.ceil(self.retry_after))))
            pairs.append((b"retry-after-ms", b"%d" % max(1, math.ceil(self.retry_after * 1000))))
        if self.repeat or self.status in _REPEATED_BY_SDKS or self.status >= _SERVER:
            pairs.append((b"x-should-retry", b"true" if self.repeat else b"false"))
        if self.charge is not None:
            pairs += self.charge.headers()
        pairs += decision_header(self.decision)
        pairs += screened_header(self.screened)
        if self.allow:
            pairs.append((b"allow", self.allow.encode()))
        if self.status == 401:  # noqa: PLR2004
            pairs.append((b"www-authenticate", b"Bearer"))
        if self.closes:
            pairs.append((b"connection", b"close"))
        return pairs

    def receipt(self) -> dict[str, object]:
        """What the mesh tells of the request in a body, as streams that have begun must: charge, decision, what screening found."""
        members: dict[str, object] = {} if self.charge is None else self.charge.field()
        return members | {name: value for name, value in (("decision", self.decision), ("screened", self.screened)) if value}


def failure_of(error: MeshError) -> Failure:
    """A failure of the mesh as HTTP's."""
    metadata = error.metadata
    return Failure(
        status=error.http,
        code=error.reason_name.lower(),
        message=error.message,
        param=error.field or (metadata.get("provider_param", "") if error.http < _SERVER else ""),
        retry_after=error.retry_after,
        repeat=_should_repeat(error),
        provider=ProviderWords(metadata.get("provider_code", ""), metadata.get("provider_type", ""), metadata.get("quota") == "exhausted"),
        charge=_charge(error),
        decision=error.decision_id or error.metadata.get("decision_id", ""),
        screened=metadata.get("screened", ""),
    )


def _should_repeat(error: MeshError) -> bool:
    if (error.domain, error.reason_name) in _WORTH_REPEATING:
        return True
    if error.domain not in _CARRIED_OUT or error.metadata.get("quota") == "exhausted":
        return False
    free = error.metadata.get("charged_nanos") == "0"
    passing = error.retry_after is not None  # the gateway says when to try again where that may help
    return (free and passing) or (error.reason_name in _NEVER_SENT and error.metadata.get("sent") == "false")


def _charge(error: MeshError) -> FailureCharge | None:
    metadata = error.metadata
    nanos = metadata.get("charged_nanos", "0" if error.domain in _REFUSING else "")
    if not nanos.isdecimal():
        return None
    charge = FailureCharge(int(nanos), metadata.get("charged_currency", ""), metadata.get("reservation", ""))
    return _repetition(charge, metadata) if (error.domain, error.reason_name) == _COMPLETED else charge


def _repetition(first: FailureCharge, metadata: Mapping[str, str]) -> FailureCharge:
    """A refused repetition costs nothing; what policy tells is the receipt of the first request."""
    inputs, outputs = (int(metadata[name]) if metadata.get(name, "").isdecimal() else 0 for name in ("input_tokens", "output_tokens"))
    receipt = First(metadata.get("request_id", ""), first.nanos, first.currency, inputs, outputs, metadata.get("outcome", ""))
    return FailureCharge(0, first.currency, first.reservation, receipt)


def placed(failure: Failure, place: Place, body: Body) -> Failure:
    """The failure, whose field is named by its place in the client's body, in the message too."""
    own = place(failure.param, body)
    return failure if own == failure.param else replace(failure, param=own, message=failure.message.replace(failure.param, own))


def spoken(failure: Failure, param: str) -> str:
    """The message, which names the field as `param` does."""
    return failure.message.replace(failure.param, param) if failure.param and param else failure.message


def named(field: str, names: Mapping[str, str]) -> str:
    """The field as the client's body names it. `names` are those of a dialect that differ from the typed contract's."""
    if not field:
        return ""
    field = _EXTRA.sub(r"\1", field)  # a key of the client's own dialect stands at its place in the body
    for typed, own in names.items():
        if field.startswith(typed) and field[len(typed) : len(typed) + 1] in {"", ".", "["}:
            return own + field[len(typed) :]
    for pattern, replacement in _ALIKE:
        if pattern.match(field):
            return pattern.sub(replacement, field)
    return field
