"""Errors of conversations, with the reasons of its contract."""

from llm_mesh.conversations.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError


class ConversationsError(MeshError):
    """A failure with a reason of `llm_mesh.conversations.v1.ErrorReason`."""

    reasons = errors_pb2.ErrorReason


def content_not_found(field: str) -> ConversationsError:
    """Nothing that the caller may know of has the id. Alike for whatever the cause is, and so it repeats no id."""
    message = f"{field}: there is no such response, conversation or item in this project"
    return ConversationsError(errors_pb2.ERROR_REASON_STORED_CONTENT_NOT_FOUND, message, field=field)


def storing_not_allowed(cause: str, field: str) -> ConversationsError:
    """A request that must be stored, where nothing may be."""
    message = f"{field}: nothing may be stored here ({cause})"
    return ConversationsError(errors_pb2.ERROR_REASON_STORING_NOT_ALLOWED, message, field=field, cause=cause)


def history_too_large(limit: str) -> ConversationsError:
    """Earlier items that are more than a request may have."""
    message = f"the earlier items that the request continues are more than {limit}"
    return ConversationsError(errors_pb2.ERROR_REASON_HISTORY_TOO_LARGE, message, limit=limit)


def not_completed(status: str) -> ConversationsError:
    """A response that cannot be continued as it stands."""
    reason = errors_pb2.ERROR_REASON_PREVIOUS_RESPONSE_NOT_COMPLETED
    return ConversationsError(reason, f"the previous response is {status}", field="previous_response", status=status)


def not_in_background() -> ConversationsError:
    """A response whose events and end are those of its call."""
    return ConversationsError(errors_pb2.ERROR_REASON_NOT_IN_BACKGROUND, "the response was not created with background", field="id")


def too_many_runs() -> ConversationsError:
    """No place is free for a further run."""
    reason = errors_pb2.ERROR_REASON_TOO_MANY_BACKGROUND_RESPONSES
    return ConversationsError(reason, "too many responses run in the background; retry after 5 s", retry_after=5.0)


def project_not_selected() -> ConversationsError:
    """A credential of several projects, without a choice."""
    reason = errors_pb2.ERROR_REASON_PROJECT_NOT_SELECTED
    return ConversationsError(reason, "the credential spans projects and none was selected", field="x-llm-mesh-project")


def run_lost() -> ConversationsError:
    """The instance of a run has ended."""
    message = "the instance that ran the response has ended; what was used is charged as estimated"
    return ConversationsError(errors_pb2.ERROR_REASON_RUN_LOST, message)


def response_too_large(limit: int) -> ConversationsError:
    """An answer beyond what a response may store."""
    return ConversationsError(errors_pb2.ERROR_REASON_RESPONSE_TOO_LARGE, f"the answer has more than {limit} bytes", limit=str(limit))
