"""The reasons that policy gives, as errors."""

from __future__ import annotations

from llm_mesh.policy.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError


class PolicyError(MeshError):
    """A failure with a reason of policy's contract."""

    reasons = errors_pb2.ErrorReason


def invalid_credential() -> PolicyError:
    """The credential does not count; which of its parts is wrong is never told."""
    return PolicyError(errors_pb2.ERROR_REASON_INVALID_CREDENTIAL, "the credential is not valid")


def action_denied(action: str, resource: str) -> PolicyError:
    """No role of the caller grants it; the same for what does not exist."""
    message = f"no role of the caller grants {action} on {resource}"
    return PolicyError(errors_pb2.ERROR_REASON_ACTION_DENIED, message, action=action, resource=resource)


def model_denied(alias: str) -> PolicyError:
    """The caller may not use the model, or it does not exist and the caller could not know."""
    return PolicyError(errors_pb2.ERROR_REASON_MODEL_DENIED, f"the caller may not use the model {alias}", model=alias)


def escalation_denied(what: str) -> PolicyError:
    """The change would grant, or take from others, more than who asks for it holds."""
    return PolicyError(errors_pb2.ERROR_REASON_ESCALATION_DENIED, f"{what} grants more than the caller holds", resource=what)


def beyond_floor(resource: str, field: str) -> PolicyError:
    """A domain's own setting would be beyond what the platform's floor allows."""
    message = f"{field} of {resource} is beyond what the domain's floor allows; GetDomain shows the floor"
    return PolicyError(errors_pb2.ERROR_REASON_ESCALATION_DENIED, message, resource=resource, field=field)


def floor_conflict(domain: str, bound: str) -> PolicyError:
    """The floor and the domain's own settings leave nothing that a request could use."""
    message = f"the floor and the own settings of {domain} have nothing in common in {bound}, so that no request is allowed"
    return PolicyError(errors_pb2.ERROR_REASON_FLOOR_CONFLICT, message, domain=domain, bound=bound)
