"""Actions of methods that serve the mesh's services only. No role grants them, not even one that grants `*`.

The access stage of every service refuses keys there before policy is asked; this is the second lock. The list comes from the access
rules of the contracts.
"""

from __future__ import annotations

from llm_mesh.services import MESH_ACTIONS

__all__ = ["MESH_ACTIONS"]
