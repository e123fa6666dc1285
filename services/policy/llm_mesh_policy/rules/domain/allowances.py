"""Which aliases keys may use, remembered for one snapshot: lists of aliases are walked once, not per request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import identity_pb2
from llm_mesh_policy.domain.errors import invalid_credential, model_denied

if TYPE_CHECKING:
    from llm_mesh_policy.rules.domain.snapshot import Snapshot

_MOST = 65_536
_LONGEST_SHOWN = 256
_RESOURCE_NAME = "domains/"


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
        question = (key, project, alias)
        if question not in self._allowed:
            check_listed(snapshot, key, project, alias)
            self._allowed.add(question)


def callable_models(snapshot: Snapshot, key: str, project: str) -> list[Sequence[str]]:
    """The lists of the project and of the key, where they have some: what a model that is called must match, whatever leads there."""
    stored = snapshot.key(key)
    own = identity_pb2.Key.FromString(stored.body).allowed_models if stored is not None else ()
    named = snapshot.projects.get(project)
    return [patterns for patterns in (named.allowed_models if named is not None else (), own) if patterns]


def check_listed(snapshot: Snapshot, key: str, project: str, alias: str) -> None:
    """Raises MODEL_DENIED unless the lists of the project and of the key, where they have some, name the alias."""
    stored = snapshot.key(key)
    if stored is None:
        raise invalid_credential()
    project_settings = snapshot.projects.get(project)
    own = identity_pb2.Key.FromString(stored.body).allowed_models
    if (project_settings is not None and project_settings.allowed_models and not _listed(project_settings.allowed_models, alias)) or (
        own and not _listed(own, alias)
    ):
        raise model_denied(alias[:_LONGEST_SHOWN])


def _listed(patterns: Iterable[str], alias: str) -> bool:
    """Whether an alias may be asked for. Where a list names models by resource name, only the plan tells what an alias leads to."""
    return any(
        pattern.startswith(_RESOURCE_NAME) or (alias.startswith(pattern[:-1]) if pattern.endswith("*") else alias == pattern)
        for pattern in patterns
    )
