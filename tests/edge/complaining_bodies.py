"""One body of each kind that has everything its reader looks at."""

from __future__ import annotations

from typing import Any

Bodies = dict[str, list[dict[str, Any]]]
TEXT = {"type": "text", "text": "x"}
PICTURE = "data:image/png;base64,aGk="
CACHED = {"type": "ephemeral", "ttl": "5m"}
TOP = {"token": "x", "logprob": -0.1, "bytes": [120], "top_logprobs": [{"token": "x", "logprob": -0.1, "bytes": [120]}]}
FUNCTION = {"type": "function", "function": {"name": "f", "description": "d", "strict": True, "parameters": {"type": "object"}}}
CALL = {"id": "c", "type": "function", "index": 0, "function": {"name": "f", "arguments": "{}"}}
CHAT: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "x"},
        {
            "role": "user",
            "name": "n",
            "content": [
                {**TEXT, "cache_control": CACHED},
                {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
                {"type": "file", "file": {"file_id": "f"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk=", "filename": "n"}},
            ],
        },
        {
            "role": "assistant",
            "content": [TEXT, {"type": "refusal", "refusal": "x"}],
            "refusal": "x",
            "audio": {"id": "a"},
            "reasoning_content": "x",
            "tool_calls": [CALL, {"id": "d", "type": "custom", "custom": {"name": "f"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": [TEXT]},
    ],
    "tools": [{**FUNCTION, "cache_control": CACHED}, {"type": "custom", "custom": {}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": True,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "s", "description": "d", "strict": True, "schema": {"type": "object"}},
    },
    "n": 1,
    "max_completion_tokens": 5,
    "max_tokens": 5,
    "stop": ["x"],
    "modalities": ["text"],
    "user": "u",
    "prompt_cache_key": "k",
    "temperature": 1,
    "top_p": 1,
    "frequency_penalty": 1,
    "presence_penalty": 1,
    "top_k": 1,
    "seed": 1,
    "logit_bias": {"7": 1},
    "logprobs": True,
    "top_logprobs": 1,
    "reasoning_effort": "low",
    "stream": False,
    "stream_options": {"include_usage": True},
    "metadata": {"a": "b"},
}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}}
SPOKEN = {"role": "user", "content": "x"}
CHATS = [
    CHAT,
    {"model": "m", "messages": [SPOKEN], "tools": [FUNCTION], "tool_choice": ALLOWED, "response_format": {"type": "json_object"}},
    {"model": "m", "messages": [SPOKEN], "tool_choice": "auto", "stop": "x"},
]
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
DOCUMENT = {"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
MESSAGES: dict[str, Any] = {
    "model": "m",
    "max_tokens": 2000,
    "system": [{**TEXT, "cache_control": CACHED}],
    "messages": [
        {
            "role": "user",
            "content": [
                TEXT,
                IMAGE,
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                {"type": "image", "source": {"type": "file", "file_id": "f"}},
                DOCUMENT,
                {"type": "document", "source": {"type": "content", "content": [TEXT]}},
                {"type": "search_result", "source": "s", "title": "t", "content": [TEXT]},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "x", "signature": "s"},
                {"type": "redacted_thinking", "data": "x"},
                {**TEXT, "citations": [{"type": "char_location"}]},
                {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "is_error": False, "content": [TEXT, IMAGE]}, TEXT]},
        {"role": "assistant", "content": "x"},
    ],
    "tools": [
        {"name": "f", "description": "d", "strict": True, "input_schema": {"type": "object"}, "cache_control": CACHED},
        {"type": "web_search_20250305", "name": "web_search"},
    ],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "stop_sequences": ["x"],
    "temperature": 1,
    "top_p": 1,
    "top_k": 1,
    "metadata": {"user_id": "u"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "stream": False,
    "service_tier": "auto",
}
MESSAGE_BODIES = [
    MESSAGES,
    {
        "model": "m",
        "max_tokens": 5,
        "system": "x",
        "messages": [SPOKEN],
        "tool_choice": {"type": "auto"},
        "thinking": {"type": "disabled"},
        "anthropic_beta": ["b"],
    },
]
EMBEDDINGS = [
    {"model": "m", "input": ["x", [1, 2]], "dimensions": 3, "user": "u", "encoding_format": "float"},
    {"model": "m", "input": "x"},
]
FIGURES = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "prompt_tokens_details": {"cached_tokens": 0}}
ANSWERED = [
    {
        "id": "i",
        "model": "m",
        "created": 1,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "logprobs": {"content": [TOP], "refusal": [TOP]},
                "message": {
                    "role": "assistant",
                    "content": [TEXT, {"type": "image_url", "image_url": {"url": PICTURE}}],
                    "refusal": "x",
                    "reasoning_content": "x",
                    "audio": {"id": "a", "data": "aGk=", "transcript": "x"},
                    "annotations": [{"type": "url_citation"}],
                    "tool_calls": [CALL],
                },
            }
        ],
        "usage": FIGURES,
    },
    {"choices": [{"message": {"content": "x", "function_call": {"name": "f", "arguments": "{}"}}, "finish_reason": "stop"}]},
]
CHUNKS = [
    {"id": "i", "model": "m", "created": 1, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "x"}}]},
    {
        "id": "i",
        "choices": [
            {
                "index": 0,
                "logprobs": {"content": [TOP]},
                "delta": {
                    "content": [TEXT],
                    "refusal": "x",
                    "reasoning_content": "x",
                    "tool_calls": [CALL],
                    "audio": {"data": "aGk=", "transcript": "x"},
                },
            }
        ],
    },
    {"id": "i", "choices": [{"index": 0, "delta": {"tool_calls": CALL}}]},
    {"id": "i", "choices": [{"index": 1, "delta": {"function_call": {"name": "f", "arguments": "{}"}}}]},
    {"id": "i", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": FIGURES},
]
MESSAGE_ANSWERED = [
    {
        "id": "i",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            TEXT,
            {"type": "thinking", "thinking": "x", "signature": "s"},
            {"type": "redacted_thinking", "data": "x"},
            {"type": "tool_use", "id": "c", "name": "f", "input": {}},
        ],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
]


def block(index: int, opened: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of one block."""
    return [
        {"type": "content_block_start", "index": index, "content_block": opened},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


EVENTS = [
    {
        "type": "message_start",
        "message": {"id": "i", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": {"input_tokens": 1}},
    },
    *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "x"}, {"type": "citations_delta", "citation": {"type": "c"}}),
    *block(
        1,
        {"type": "thinking", "thinking": ""},
        {"type": "thinking_delta", "thinking": "x"},
        {"type": "signature_delta", "signature": "s"},
    ),
    *block(2, {"type": "redacted_thinking", "data": "x"}),
    *block(3, {"type": "tool_use", "id": "c", "name": "f", "input": {}}, {"type": "input_json_delta", "partial_json": "{}"}),
    {"type": "ping"},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 1}},
    {"type": "message_stop"},
]
