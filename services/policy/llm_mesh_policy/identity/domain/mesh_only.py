"""Actions of methods that serve the mesh's services only. No role grants them, not even one that grants `*`.

The access stage of every service refuses keys there before policy is asked; this is the second lock. A test compares the
list with the contracts.
"""

from __future__ import annotations

MESH_ACTIONS = frozenset(
    {
        "adapter.count",
        "adapter.embed",
        "adapter.generate",
        "links.connect",
        "observability.ingest",
        "policy.admit",
        "policy.authorize",
        "policy.extend",
        "policy.heartbeat",
        "policy.release",
        "policy.recordChanges",
        "policy.replay",
        "policy.getKeptAnswer",
        "policy.reserve",
        "policy.screen",
        "policy.settle",
        "policy.watch",
        "processes.report",
        "registry.accepted",
        "registry.offer",
        "registry.watch",
        "router.aliases",
        "router.plan",
        "router.report",
    }
)
