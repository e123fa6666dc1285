"""Who calls and why, as the pipeline found out, in the domain's words."""

from __future__ import annotations

from llm_mesh_policy.domain.actor import Actor
from llm_mesh_runtime import context
from llm_mesh_runtime.outbox.author import reason


def actor() -> Actor:
    """The caller of the present call."""
    caller, request_id, why = context.caller(), context.request_id(), reason()
    if caller.kind == "service":
        return Actor(principal=f"services/{caller.service}", request_id=request_id, reason=why, is_service=True)
    return Actor(principal=caller.principal, key=caller.key, domain=caller.domain, request_id=request_id, reason=why)
