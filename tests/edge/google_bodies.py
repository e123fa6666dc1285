"""Bodies of clients of Google's dialect: some that have everything that their reader looks at, and some whose fault is no single value."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

PROOF = b64encode(b"gemini:0123456789ab:n:c2ln").decode()
CALL: dict[str, Any] = {"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}, "thoughtSignature": PROOF}
NAMELESS: dict[str, Any] = {"functionCall": {"name": "g"}}
SCHEMA: dict[str, Any] = {
    "type": "OBJECT",
    "properties": {
        "a": {"type": "STRING", "nullable": True, "enum": ["x"]},
        "b": {"type": "ARRAY", "items": {"type": "NUMBER"}, "minItems": "1"},
    },
    "anyOf": [{"type": "INTEGER"}],
    "nullable": True,
}
FUNCTION: dict[str, Any] = {"name": "f", "description": "d", "parameters": SCHEMA, "behavior": "BLOCKING"}
USER: dict[str, Any] = {"role": "user", "parts": [{"text": "x"}]}
GENERATE: dict[str, Any] = {
    "model": "models/m",
    "systemInstruction": {"parts": [{"text": "x"}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "x", "partMetadata": {"k": 1}},
                {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
                {"fileData": {"fileUri": "https://example.com/a.png", "mimeType": "image/png", "displayName": "n"}},
                {"executableCode": {"code": "1", "language": "PYTHON"}},
            ],
        },
        {"role": "model", "parts": [{"text": "x", "thought": True}, CALL, NAMELESS, {"text": "y", "thoughtSignature": PROOF}]},
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "c",
                        "name": "f",
                        "response": {"output": "x"},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}],
                        "scheduling": "SILENT",
                    }
                },
                {"functionResponse": {"name": "g", "response": {"a": 1}}},
                {"text": "x"},
            ],
        },
    ],
    "tools": [{"functionDeclarations": [FUNCTION, {"name": "g", "parametersJsonSchema": {"type": "object"}}], "googleSearch": {}}],
    "toolConfig": {
        "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"], "streamFunctionCallArguments": True},
        "retrievalConfig": {"languageCode": "de"},
    },
    "generationConfig": {
        "temperature": 1,
        "topP": 0.5,
        "topK": 4,
        "presencePenalty": 1,
        "frequencyPenalty": "1",
        "seed": 7,
        "candidateCount": 1,
        "maxOutputTokens": 9,
        "stopSequences": ["x"],
        "responseModalities": ["TEXT"],
        "responseLogprobs": True,
        "logprobs": 3,
        "responseMimeType": "application/json",
        "responseSchema": {"type": "STRING"},
        "thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 5, "includeThoughts": True},
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
    },
    "safetySettings": [{"category": "x", "threshold": "y"}],
}
COUNTED: dict[str, Any] = {"generateContentRequest": {"model": "models/m", "contents": [USER]}}
SINGLE: dict[str, Any] = {"content": {"parts": [{"text": "x"}]}, "taskType": "x", "embedContentConfig": {"outputDimensionality": 3}}
ITEM: dict[str, Any] = {"model": "models/m", "content": {"parts": [{"text": "x"}]}, "taskType": "x", "outputDimensionality": 3}
BATCH: dict[str, Any] = {"requests": [ITEM, dict(ITEM)]}


def deep(depth: int) -> dict[str, Any]:
    """A schema of so many lists in one another."""
    schema: dict[str, Any] = {"type": "STRING"}
    for _ in range(depth):
        schema = {"type": "ARRAY", "items": schema}
    return schema


PARTS = {"contents": [{"parts": [{"text": "x"}] * 4_097}] * 4}
CONTENTS = {"contents": [USER] * 4_097}
TWO_KINDS = {"contents": [{"parts": [{"text": "x", "inlineData": {"mimeType": "image/png", "data": "aGk="}}]}]}
TWO_SCHEMAS = {"contents": [USER], "generationConfig": {"responseSchema": {}, "responseJsonSchema": {}}}
TWO_PARAMETERS = {"contents": [USER], "tools": [{"functionDeclarations": [FUNCTION | {"parametersJsonSchema": {}}]}]}
TWO_SPELLINGS = {"contents": [USER], "generationConfig": {"maxOutputTokens": 1, "max_output_tokens": 2}}
TWO_REQUESTS = COUNTED | {"contents": [USER]}
DEEP = {"contents": [USER], "generationConfig": {"responseSchema": deep(101)}}
TOOLS = {"contents": [USER], "tools": [{"functionDeclarations": [{"name": "f"}] * 257}]}
SNAKE = {"contents": [USER], "generation_config": {"max_output_tokens": "x"}}
