"""The requests of a run: a thousand different prompts of about 1 KB (or as long as wanted), with keys in rotation."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from bench.behaviour import USUAL, Behaviour

PROMPTS = 1_000
MODEL = "sim-echo"
USUAL_WORDS = 150
_SEED = 7
_MAX_TOKENS = 256
_WORDS = tuple("the of to and in is it mesh model route token policy prompt answer ledger budget stream reserve settle".split())  # noqa: SIM905
_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Zürich"}'}}


def texts(count: int = PROMPTS, words: int = USUAL_WORDS) -> Iterator[str]:
    """Different ones, the same in every run."""
    dice = random.Random(_SEED)  # noqa: S311 - texts of a benchmark
    for number in range(count):
        yield f"{number} {' '.join(dice.choices(_WORDS, k=words))}"


def body(text: str, behaviour: Behaviour = USUAL, *, streamed: bool = False, model: str = MODEL) -> dict[str, Any]:
    """One request's body."""
    content = f"{behaviour.marker()}{text}"
    request: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": _MAX_TOKENS}
    return request | ({"stream": True, "stream_options": {"include_usage": True}} if streamed else {})


def tool_bodies(text: str, *, model: str = MODEL) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two requests of a tool loop: one that is answered by a call, one that brings its result."""
    first = body(text, Behaviour(tool=1), model=model) | {"tools": _TOOLS}
    result = {"role": "tool", "tool_call_id": "call_1", "content": '{"sky":"blue","celsius":21}'}
    call = {"role": "assistant", "content": None, "tool_calls": [_CALL]}
    return first, first | {"messages": [*first["messages"], call, result]}


def framed(content: dict[str, Any], key: str, path: str = "/v1/chat/completions", headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """The whole HTTP request."""
    raw = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    more = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{more}"
        f"authorization: Bearer {key}\r\ncontent-length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw
