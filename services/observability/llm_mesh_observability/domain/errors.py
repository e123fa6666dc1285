"""Errors of observability, with the reasons of its contract."""

from llm_mesh.observability.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError


class ObservabilityError(MeshError):
    """A failure with a reason of `llm_mesh.observability.v1.ErrorReason`."""

    reasons = errors_pb2.ErrorReason


def request_not_found(name: str) -> ObservabilityError:
    """A request that does not exist for the caller, or is not ingested yet."""
    return ObservabilityError(errors_pb2.ERROR_REASON_REQUEST_NOT_FOUND, f"there is no request {name}", field="name", name=name)


def too_many_tails(limit: int) -> ObservabilityError:
    """The caller has its share of the tails."""
    message = "as many tails are open as your domain, you, or all together may have"
    return ObservabilityError(errors_pb2.ERROR_REASON_TOO_MANY_TAILS, message, retry_after=5.0, limit=str(limit))
