"""Which aliases keys may use, remembered for one snapshot: lists of aliases are walked once, not per request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh_policy.domain.identity.authorizer import check_model

if TYPE_CHECKING:
    from llm_mesh_policy.domain.identity.snapshot import Snapshot

_MOST = 65_536


class Allowances:
    """What was found to be allowed. Refusals are decided anew each time."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._allowed: set[tuple[str, str, str]] = set()

    def check(self, snapshot: Snapshot, key: str, project: str, alias: str) -> None:
        """Raises MODEL_DENIED unless the lists of the project and of the key, where they have some, name the alias."""
        if snapshot is not self._snapshot or len(self._allowed) >= _MOST:
            self._snapshot = snapshot
            self._allowed = set()
        asked = (key, project, alias)
        if asked not in self._allowed:
            check_model(snapshot, key, project, alias)
            self._allowed.add(asked)
