"""The lines of output files, in the form that OpenAI's batches have."""

from __future__ import annotations

import orjson

from llm_mesh.batches.v1 import batches_pb2

_NEVER_BEGUN = {
    batches_pb2.LINE_OUTCOME_CANCELLED: ("batch_cancelled", "This request was not executed: the batch was cancelled."),
    batches_pb2.LINE_OUTCOME_EXPIRED: (
        "batch_expired",
        "This request could not be executed before the completion window expired.",
    ),
}


def written(batch: str, number: int, result: batches_pb2.LineResult) -> bytes:
    """One line, with its end."""
    head = {"id": f"batch_req_{batch.removeprefix('batch-')}_{number}", "custom_id": result.custom_id}
    if result.outcome in _NEVER_BEGUN:
        code, message = _NEVER_BEGUN[result.outcome]
        return orjson.dumps({**head, "response": None, "error": {"code": code, "message": message}}) + b"\n"
    response = {"status_code": result.status_code, "request_id": result.request_id, "body": orjson.Fragment(result.body_json)}
    return orjson.dumps({**head, "response": response, "error": None}) + b"\n"


def written_size(batch: str, number: int, result: batches_pb2.LineResult) -> int:
    """How many bytes the line has."""
    return len(written(batch, number, result))
