"""What other slices may use of the audit trail."""

from __future__ import annotations

from llm_mesh_policy.audit.domain.trail import Trail

__all__ = [
    "Trail",
]
