"""Why nothing of a request was sent, as a gateway tells it when it gives back: by the attempts, or by what ended the request before any.

A request that screening has found something in, and that was never reserved, gets an entry of its own: what screening did leaves proof.
"""

from llm_mesh.policy.v1 import admission_pb2, policy_pb2, usage_pb2
from llm_mesh_policy.domain import sealed
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.ports import NOTHING_TOLD, Unreserved, Why
from llm_mesh_policy.ledger.domain.reservation import REFUSED, Reservation
from llm_mesh_policy.ledger.domain.reserving import checked_id, checked_request_id
from llm_mesh_policy.ledger.domain.settlement import check_why
from llm_mesh_policy.screening.ports import REQUEST, counts_of, described
from llm_mesh_runtime.errors import invalid

_LONGEST_DECISION = 64


class Refusing:
    """Reads what is told of a refusal."""

    def __init__(self, seals: sealed.Opener) -> None:
        self._seals = seals

    def why(self, request: policy_pb2.ReleaseRequest) -> Why:
        """Why nothing was sent."""
        lines = request.lines[:]
        if not request.HasField("refusal"):
            return Why(lines) if lines else NOTHING_TOLD
        refusal = request.refusal
        check_why(refusal.reason, refusal.field, "refusal.reason", "refusal.field")
        if len(refusal.decision_id) > _LONGEST_DECISION:
            raise invalid("refusal.decision_id", f"at most {_LONGEST_DECISION} characters")
        checked_request_id(refusal.request_id, "refusal.request_id")
        admission = sealed.admission_in(refusal.admission, self._seals)
        unreserved = _unreserved(checked_id(request.reservation_id), admission, refusal) if admission.screened else None
        return Why(lines, refusal.reason, refusal.field, unreserved)


def _unreserved(reservation_id: str, admission: admission_pb2.Admission, refusal: policy_pb2.Refusal) -> Unreserved:
    caller = admission.caller
    entry = unreserved_entry(admission, reservation_id, refusal.request_id)
    entry.state = REFUSED
    entry.refused_reason, entry.refused_field, entry.decision_id = refusal.reason, refusal.field, refusal.decision_id
    made = Reservation(reservation_id, caller.domain, caller.project, caller.key, caller.principal, refusal.request_id, entry, ())
    audit = AuditEntry(
        domain=caller.domain,
        action=REQUEST,
        resource=caller.project,
        allowed=True,
        principal=caller.principal,
        key=caller.key,
        detail=described(counts_of(admission.screened)),
        request_id=refusal.request_id,
    )
    return Unreserved(made, audit)


def unreserved_entry(admission: admission_pb2.Admission, reservation_id: str, request_id: str) -> usage_pb2.LedgerEntry:
    """An entry of a request for which nothing is reserved, without its state."""
    caller = admission.caller
    return usage_pb2.LedgerEntry(
        name=f"{caller.project}/reservations/{reservation_id}",
        request_id=request_id,
        alias=admission.alias,
        operation=admission.operation,
        principal=caller.principal,
        key=caller.key,
        tags=admission.tags,
        admission_id=admission.id,
        screened=admission.screened,
    )
