"""Errors of the catalogue, with the reasons of its contract."""

from llm_mesh.catalogue.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError


class CatalogueError(MeshError):
    """A failure with a reason of `llm_mesh.catalogue.v1.ErrorReason`."""

    reasons = errors_pb2.ErrorReason


def prompt_not_found(name: str) -> CatalogueError:
    """A prompt, version or label that does not exist for the caller."""
    return CatalogueError(errors_pb2.ERROR_REASON_PROMPT_NOT_FOUND, f"there is no prompt {name}", field="prompt.name", name=name)
