"""From a provider's answer to `POST /model/{id}/converse` to the typed payload. What is absent is tolerated, what is wrong is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.bedrock.blocks_reading import parts_of
from llm_mesh_dialects.bedrock.guardrails import findings_of
from llm_mesh_dialects.bedrock.usage import read_usage
from llm_mesh_dialects.bedrock.vocabulary import DIALECT, finish_of
from llm_mesh_dialects.extras import keep
from llm_mesh_dialects.fields import Fields

FINDINGS: Final = "findings"
"""The extra with what a guardrail found, one object for each finding."""


def converse_into_output(result: generate_pb2.GenerateOutput, answer: Fields) -> None:
    """Writes a whole answer into a message that is there already, and empty."""
    message = answer.required("output").required("message")
    parts = parts_of(message)
    word = answer.text("stopReason") or ""
    used = read_usage(answer)
    if used is not None:
        result.usage.CopyFrom(used)
    reason = finish_of(word, calls=any(part.WhichOneof("kind") == "tool_call" for part in parts))
    choice = result.choices.add(finish_reason=reason, native_finish_reason=word)
    choice.message.role = content_pb2.ROLE_ASSISTANT
    choice.message.parts.extend(parts)
    keep(choice, DIALECT, {FINDINGS: findings} if (findings := findings_of(answer)) else {})
    result.model = model_of(answer)
    keep(result, DIALECT, present(answer.rest()))


def model_of(answer: Fields) -> str:
    """The model that answered, where a router of the provider chose it; empty else: the dialect does not say."""
    trace = answer.peek("trace")
    router = trace.get("promptRouter") if isinstance(trace, dict) else None
    model = router.get("invokedModelId") if isinstance(router, dict) else None
    return model if isinstance(model, str) else ""


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is there and says something."""
    return {key: value for key, value in values.items() if value is not None}
