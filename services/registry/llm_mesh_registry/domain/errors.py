"""Errors of the registry, with the reasons of its contract."""

from llm_mesh.registry.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError


class RegistryError(MeshError):
    """A failure with a reason of `llm_mesh.registry.v1.ErrorReason`."""

    reasons = errors_pb2.ErrorReason
