"""Errors of batches, with the reasons of its contract."""

from llm_mesh.batches.v1 import errors_pb2
from llm_mesh.policy.v1 import errors_pb2 as policy_errors_pb2
from llm_mesh_runtime.errors import MeshError


class BatchesError(MeshError):
    """A failure with a reason of `llm_mesh.batches.v1.ErrorReason`."""

    reasons = errors_pb2.ErrorReason


class ProjectError(MeshError):
    """What policy says where no project is selected, said here: only batches needs one."""

    reasons = policy_errors_pb2.ErrorReason


def project_not_selected() -> ProjectError:
    """The credential spans projects, and none was selected."""
    reason = policy_errors_pb2.ERROR_REASON_PROJECT_NOT_SELECTED
    return ProjectError(reason, "files and batches belong to a project: select one", field="project")


def file_not_found(field: str = "file") -> BatchesError:
    """There is no such file in the project. Says nothing of other projects."""
    return BatchesError(errors_pb2.ERROR_REASON_FILE_NOT_FOUND, "there is no such file in this project", field=field)


def batch_not_found(field: str = "batch") -> BatchesError:
    """There is no such batch in the project. Says nothing of other projects."""
    return BatchesError(errors_pb2.ERROR_REASON_BATCH_NOT_FOUND, "there is no such batch in this project", field=field)


def file_too_large(limit: int) -> BatchesError:
    """The file has more bytes than one file may have."""
    message = f"a file may have {limit} bytes and no more, by LLM_MESH_BATCHES_FILE_BYTES"
    return BatchesError(errors_pb2.ERROR_REASON_FILE_TOO_LARGE, message, field="content", limit=str(limit))


def file_in_use() -> BatchesError:
    """A batch is about to read the file."""
    return BatchesError(errors_pb2.ERROR_REASON_FILE_IN_USE, "a batch reads the lines of this file", field="file")


def batch_ended() -> BatchesError:
    """There is nothing left to cancel."""
    return BatchesError(errors_pb2.ERROR_REASON_BATCH_ENDED, "the batch has ended already", field="batch")


def batch_not_ended() -> BatchesError:
    """The batch goes on."""
    return BatchesError(errors_pb2.ERROR_REASON_BATCH_NOT_ENDED, "the batch has not ended yet", field="batch")


def results_deleted() -> BatchesError:
    """The results went with an output file."""
    return BatchesError(errors_pb2.ERROR_REASON_RESULTS_DELETED, "the results of this batch were deleted", field="batch")
