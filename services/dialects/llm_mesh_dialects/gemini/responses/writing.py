"""From the typed payload to a client's answer to `:generateContent` and `:countTokens`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.gemini.logprobs import write_logprobs
from llm_mesh_dialects.gemini.responses.parts_writing import AnswerPartsWriter
from llm_mesh_dialects.gemini.usage import write_usage
from llm_mesh_dialects.gemini.vocabulary import BLOCKS, DIALECT, finish_word

_MALFORMED: Final = "MALFORMED_FUNCTION_CALL"


def output_to_body(output: generate_pb2.GenerateOutput, *, id: str = "", shows_thoughts: bool) -> dict[str, Any]:  # noqa: A002 (the dialect's name)
    """The body. `id` replaces what the provider said."""
    body: dict[str, Any] = {"candidates": [_candidate(each, shows_thoughts=shows_thoughts) for each in output.choices[:]]}
    if output.HasField("usage"):
        body["usageMetadata"] = write_usage(output.usage)
    body |= {"modelVersion": output.model, "responseId": id or output.id}
    if output.created:
        body["createTime"] = datetime.fromtimestamp(output.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    put_back(body, output.extras, DIALECT)
    return body


def count_to_body(count: embed_pb2.TokenCount) -> dict[str, Any]:
    """The answer to `:countTokens`."""
    return {"totalTokens": count.input_tokens}


def blocked_to_body(reason: str, message: str, *, id: str) -> dict[str, Any]:  # noqa: A002 (the dialect's name)
    """The answer where a provider did not like the prompt: no candidate, and why. `reason` is the provider's word, if it said one."""
    feedback = {"blockReason": reason if reason in BLOCKS else "OTHER", "blockReasonMessage": message}
    return {"promptFeedback": feedback, "responseId": id}


def _candidate(choice: generate_pb2.Choice, *, shows_thoughts: bool) -> dict[str, Any]:
    writer = AnswerPartsWriter(shows_thoughts=shows_thoughts)
    for part in choice.message.parts[:]:
        writer.write(part)
    refused = any(part.WhichOneof("kind") == "refusal" for part in choice.message.parts[:])
    written = {
        "content": {"parts": writer.close(), "role": "model"},
        "index": choice.index,
        **ended(choice, writer.malformed, refused=refused),
    }
    if logprobs := write_logprobs(choice.logprobs):
        written["logprobsResult"] = logprobs
    return written


def ended(choice: generate_pb2.Choice | generate_pb2.ChoiceFinished, malformed: str, *, refused: bool) -> dict[str, Any]:
    """Why a candidate ended, and what is not modelled of it. `malformed` is a call that the dialect has no part for."""
    written: dict[str, Any] = {}
    reason = choice.finish_reason
    if refused and reason == generate_pb2.FINISH_REASON_STOP:
        reason = generate_pb2.FINISH_REASON_REFUSAL
    if word := _MALFORMED if malformed else finish_word(reason, choice.native_finish_reason):
        written["finishReason"] = word
    if malformed:
        written["finishMessage"] = malformed
    put_back(written, choice.extras, DIALECT)
    return written
