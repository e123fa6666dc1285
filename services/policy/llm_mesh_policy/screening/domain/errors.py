"""The refusal of screening, by a reason of the contract. Of its own, so that screening needs nothing else of policy."""

from __future__ import annotations

from llm_mesh.policy.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError


class ScreeningError(MeshError):
    """A refusal by what was found."""

    reasons = errors_pb2.ErrorReason


def content_blocked(detectors: str) -> ScreeningError:
    """The request has what must not leave."""
    return ScreeningError(
        errors_pb2.ERROR_REASON_CONTENT_BLOCKED, f"the request holds what must not leave: {detectors}", detectors=detectors
    )
