"""Errors of the router, with the reasons of its contract."""

from llm_mesh.router.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError


class RouterError(MeshError):
    """A failure with a reason of `llm_mesh.router.v1.ErrorReason`."""

    reasons = errors_pb2.ErrorReason
