"""Fields of the typed request that have another name in a body of Google's dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_CONFIG: Final = "generationConfig"
NAMES: Final[Mapping[str, str]] = {
    "input.max_output_tokens": f"{_CONFIG}.maxOutputTokens",
    "input.candidate_count": f"{_CONFIG}.candidateCount",
    "input.stop": f"{_CONFIG}.stopSequences",
    "input.modalities": f"{_CONFIG}.responseModalities",
    "input.logprobs.top": f"{_CONFIG}.logprobs",
    "input.logprobs": f"{_CONFIG}.responseLogprobs",
    "input.sampling.temperature": f"{_CONFIG}.temperature",
    "input.sampling.top_p": f"{_CONFIG}.topP",
    "input.sampling.top_k": f"{_CONFIG}.topK",
    "input.sampling.presence_penalty": f"{_CONFIG}.presencePenalty",
    "input.sampling.frequency_penalty": f"{_CONFIG}.frequencyPenalty",
    "input.sampling.seed": f"{_CONFIG}.seed",
    "input.sampling": _CONFIG,
    "input.reasoning.effort": f"{_CONFIG}.thinkingConfig.thinkingLevel",
    "input.reasoning.budget_tokens": f"{_CONFIG}.thinkingConfig.thinkingBudget",
    "input.reasoning": f"{_CONFIG}.thinkingConfig",
    "input.response_format.json_schema.schema_json": f"{_CONFIG}.responseJsonSchema",
    "input.response_format.json_schema": f"{_CONFIG}.responseJsonSchema",
    "input.response_format": f"{_CONFIG}.responseMimeType",
    "input.tool_choice.mode": "toolConfig.functionCallingConfig.mode",
    "input.tool_choice.name": "toolConfig.functionCallingConfig.allowedFunctionNames",
    "input.tool_choice.allowed": "toolConfig.functionCallingConfig.allowedFunctionNames",
    "input.tool_choice": "toolConfig.functionCallingConfig",
    "input.dimensions": "outputDimensionality",
    "input.items": "requests",
    "input.messages": "contents",
    "input.end_user": "labels",
}
