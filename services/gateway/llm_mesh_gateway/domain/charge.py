"""Tells the caller of a failed request what it was charged. `docs/charging.md` has the rule."""

from __future__ import annotations

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_gateway.domain.execution.repeating import USUAL_DELAY, passes
from llm_mesh_runtime.errors import MeshError, PeerError


def tell_charge(failure: MeshError, reservation: str, settled: policy_pb2.SettleResponse | None, *, sent: bool) -> None:
    """Adds the charge to what the failure says, and when to try again. Adds none where policy has not told it yet."""
    if not sent:
        failure.metadata["charged_nanos"] = "0"
    elif settled is not None:
        charged = settled.charged
        failure.metadata["charged_nanos"] = str(charged.nanos)
        if charged.nanos:
            failure.metadata |= {"charged_currency": charged.currency, "reservation": reservation}
    if failure.retry_after is None and passes(failure):
        failure.retry_after = USUAL_DELAY
    if isinstance(failure, PeerError):
        failure.details = b""  # else it would go on as it came
