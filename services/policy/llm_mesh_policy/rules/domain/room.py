"""How many bindings one principal may have: a decision that is new looks at each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.rules.domain.consent import active

if TYPE_CHECKING:
    from llm_mesh_policy.rules.domain.changes import Change


def require_room(change: Change, saved: rules_pb2.Binding, before: rules_pb2.Binding | None) -> None:
    """QUOTA_EXCEEDED where a binding that was saved gives its principal one too many. One that waits for consent gives nothing."""
    gave = before is not None and active(before) and before.principal == saved.principal
    if gave or not active(saved):
        return
    change.bound[saved.principal] += 1
    present = len(change.snapshot.rules.bindings_of(saved.principal)) + change.bound[saved.principal]
    change.quotas.check(saved.principal, "principal_bindings", present)
