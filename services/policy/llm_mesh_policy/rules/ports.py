"""What other slices may use of rules: the snapshot and its changes, and what they are decided by."""

from __future__ import annotations

from llm_mesh_policy.rules.domain.access import floor_in, save_domain, save_principal, save_project, with_floor
from llm_mesh_policy.rules.domain.allowances import Allowances
from llm_mesh_policy.rules.domain.applying import EntryChange, Masks, deletes
from llm_mesh_policy.rules.domain.changes import Change, Changes, Done
from llm_mesh_policy.rules.domain.escalation import require_held
from llm_mesh_policy.rules.domain.live import Live
from llm_mesh_policy.rules.domain.matching import EVERYWHERE
from llm_mesh_policy.rules.domain.places import SELF, absolute, within_credential
from llm_mesh_policy.rules.domain.roles import PLATFORM_ADMIN
from llm_mesh_policy.rules.domain.snapshot import Snapshot
from llm_mesh_policy.rules.domain.stricter import holding, least, narrow

__all__ = [
    "EVERYWHERE",
    "PLATFORM_ADMIN",
    "SELF",
    "Allowances",
    "Change",
    "Changes",
    "Done",
    "EntryChange",
    "Live",
    "Masks",
    "Snapshot",
    "absolute",
    "deletes",
    "floor_in",
    "holding",
    "least",
    "narrow",
    "require_held",
    "save_domain",
    "save_principal",
    "save_project",
    "with_floor",
    "within_credential",
]
