"""Log-probabilities, between the dialect and the typed payload."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.fields import Fields

_BYTE = 255


def read_logprobs(choice: Fields) -> tuple[list[generate_pb2.TokenLogprob], list[generate_pb2.TokenLogprob], dict[str, Any]]:
    """Those of the text, those of the refusal, and what is not modelled."""
    fields = choice.inner("logprobs")
    if fields is None:
        return [], [], {}
    content = [read_logprob(each) for each in fields.each("content")]
    refusal = [read_logprob(each) for each in fields.each("refusal")]
    return content, refusal, fields.rest()


def write_logprobs(content: Any, refusal: Any) -> dict[str, Any] | None:  # noqa: ANN401 (repeated fields)
    """As the dialect has them; None where there are none."""
    if not content and not refusal:
        return None
    return {"content": [write_logprob(each) for each in content] or None, "refusal": [write_logprob(each) for each in refusal] or None}


def read_logprob(fields: Fields) -> generate_pb2.TokenLogprob:
    return generate_pb2.TokenLogprob(
        token=fields.text("token") or "",
        logprob=fields.number("logprob") or 0.0,
        utf8=_bytes(fields),
        top=[read_logprob(each) for each in fields.each("top_logprobs")],
    )


def _bytes(fields: Fields) -> bytes:
    values = fields.items("bytes")
    if not all(isinstance(value, int) and 0 <= value <= _BYTE for value in values):
        raise fields.wrong("bytes", "expected a list of bytes")
    return bytes(values)


def write_logprob(each: generate_pb2.TokenLogprob) -> dict[str, Any]:
    return {**_entry(each), "top_logprobs": [_entry(other) for other in each.top]}


def _entry(each: generate_pb2.TokenLogprob) -> dict[str, Any]:
    return {"token": each.token, "logprob": each.logprob, "bytes": list(each.utf8) if each.utf8 else None}
