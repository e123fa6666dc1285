"""Bodies of the OpenAI dialect in their canonical spelling, as hypothesis makes them up: modelled keys, and keys that nobody models."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
NAME = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False, width=32) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAME, inner, max_size=2),
    max_leaves=4,
)
UNKNOWN = st.dictionaries(NAME.map(lambda name: "zz_" + name), JSON, max_size=2)
WHOLE = st.integers(0, 2**40)
NUMBER = st.floats(-2, 2, width=32)
BASE64 = st.binary(max_size=9).map(lambda data: b64encode(data).decode())


Keys = dict[str, Any]


def record(
    required: dict[str, Any], optional: dict[str, Any] | None = None, unknown: st.SearchStrategy[Any] = UNKNOWN
) -> st.SearchStrategy[Any]:
    """An object of these keys, and of some that are not modelled."""
    known = st.fixed_dictionaries(required, optional=optional or {})
    return st.builds(lambda first, second: {**second, **first}, known, unknown)


def just(value: Any) -> st.SearchStrategy[Any]:
    return st.just(value)


TEXT_PART = record({"type": just("text"), "text": TEXT})
IMAGE_URL = st.just("https://example.com/a.png") | BASE64.map(lambda data: f"data:image/png;base64,{data}")
PART = st.one_of(
    TEXT_PART,
    record({"type": just("image_url"), "image_url": record({"url": IMAGE_URL}, {"detail": st.sampled_from(["low", "high", "auto"])})}),
    record({"type": just("input_audio"), "input_audio": record({"data": BASE64.filter(bool), "format": st.sampled_from(["wav", "mp3"])})}),
    record({"type": just("file"), "file": record({"file_id": NAME}, {"filename": NAME})}),
    record(
        {
            "type": just("file"),
            "file": record({"file_data": BASE64.map(lambda data: f"data:application/pdf;base64,{data}"), "filename": NAME.filter(bool)}),
        }
    ),
    record({"type": just("video_url"), "video_url": JSON}),
)


def plain(content: Any) -> bool:
    """A list of one bare text, which is written as a string."""
    return len(content) == 1 and content[0].keys() == {"type", "text"}


CONTENT = TEXT | st.lists(PART, min_size=1, max_size=3).filter(lambda content: not plain(content))
TEXTS = TEXT | st.lists(TEXT_PART, min_size=1, max_size=2).filter(lambda content: not plain(content))
FUNCTION_CALL = record({"id": NAME, "type": just("function"), "function": record({"name": NAME, "arguments": TEXT})})
CUSTOM_CALL = record({"id": NAME, "type": just("custom"), "custom": record({"name": NAME, "input": TEXT})})
SPOKEN = record({"id": NAME}, unknown=just({}))
CALLS = st.lists(FUNCTION_CALL | CUSTOM_CALL, min_size=1, max_size=2)
MESSAGE = st.one_of(
    record({"role": st.sampled_from(["system", "developer"]), "content": TEXTS}, {"name": NAME}),
    record({"role": just("user"), "content": CONTENT}, {"name": NAME}),
    record({"role": just("tool"), "tool_call_id": NAME, "content": TEXTS}),
    record(
        {"role": just("assistant"), "content": TEXTS}, {"name": NAME, "tool_calls": CALLS, "audio": record({"id": NAME}, unknown=just({}))}
    ),
    record({"role": just("assistant"), "tool_calls": CALLS}),
    record({"role": just("assistant"), "refusal": TEXT}),
)
TOOL = st.one_of(
    record(
        {
            "type": just("function"),
            "function": record({"name": NAME}, {"description": TEXT.filter(bool), "parameters": UNKNOWN, "strict": st.booleans()}),
        }
    ),
    record({"type": just("custom"), "custom": UNKNOWN}),
)
FORMAT = st.one_of(
    record({"type": just("text")}, unknown=just({})),
    record({"type": just("json_object")}),
    record({"type": just("grammar"), "grammar": TEXT}),
    record(
        {
            "type": just("json_schema"),
            "json_schema": record({"name": NAME}, {"description": TEXT.filter(bool), "schema": UNKNOWN, "strict": st.booleans()}),
        }
    ),
)
TOOL_CHOICE = st.one_of(
    st.sampled_from(["auto", "none", "required"]),
    NAME.map(lambda name: {"type": "function", "function": {"name": name}}),
    NAME.map(lambda name: {"type": "custom", "custom": {"name": name}}),
)


def _logprobs(top: int) -> dict[str, Any]:
    return {"logprobs": True, "top_logprobs": top} if top else {"logprobs": True}


REQUEST = st.builds(
    lambda body, logprobs: {**body, **logprobs},
    record(
        {"model": NAME, "messages": st.lists(MESSAGE, max_size=4)},
        {
            "tools": st.lists(TOOL, min_size=1, max_size=2),
            "tool_choice": TOOL_CHOICE,
            "parallel_tool_calls": st.booleans(),
            "response_format": FORMAT,
            "temperature": NUMBER,
            "top_p": NUMBER,
            "frequency_penalty": NUMBER,
            "presence_penalty": NUMBER,
            "seed": st.integers(-(2**63), 2**63 - 1),
            "logit_bias": st.dictionaries(st.integers(0, 10**6).map(str), st.integers(-100, 100), min_size=1, max_size=3),
            "n": st.integers(1, 128),
            "max_completion_tokens": st.integers(1, 2**40),
            "stop": st.lists(TEXT, min_size=1, max_size=3),
            "modalities": st.lists(NAME, min_size=1, max_size=2),
            "user": NAME,
            "prompt_cache_key": NAME,
            "reasoning_effort": st.sampled_from(["none", "low", "high", "xhigh"]),
            "metadata": UNKNOWN,
            "prediction": UNKNOWN,
            "service_tier": NAME,
        },
    ),
    st.one_of(just({}), st.integers(0, 20).map(_logprobs)),
)

TOKEN = st.fixed_dictionaries({"token": TEXT, "logprob": NUMBER, "bytes": st.lists(st.integers(0, 255), min_size=1, max_size=3)})
LOGPROB = st.builds(lambda token, top: {**token, "top_logprobs": top}, TOKEN, st.lists(TOKEN, max_size=2))
LOGPROBS = st.none() | st.one_of(
    st.lists(LOGPROB, min_size=1, max_size=2).map(lambda shown: {"content": shown, "refusal": None}),
    st.lists(LOGPROB, min_size=1, max_size=2).map(lambda shown: {"content": None, "refusal": shown}),
)
USAGE_INPUT = record({"cached_tokens": WHOLE, "audio_tokens": WHOLE}, {"cache_write_tokens": st.integers(1, 2**40)})
USAGE_OUTPUT = record(
    dict.fromkeys(("reasoning_tokens", "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"), WHOLE)
)
USAGE = st.builds(
    lambda body: {**body, "total_tokens": body["prompt_tokens"] + body["completion_tokens"]},
    record(
        {
            "prompt_tokens": WHOLE,
            "completion_tokens": WHOLE,
            "prompt_tokens_details": USAGE_INPUT,
            "completion_tokens_details": USAGE_OUTPUT,
        }
    ),
)
ANSWER_MESSAGE = st.one_of(
    record(
        {"role": just("assistant"), "content": TEXT, "refusal": just(None)},
        {
            "reasoning_content": TEXT.filter(bool),
            "tool_calls": CALLS,
            "annotations": st.lists(record({"type": just("url_citation"), "url_citation": UNKNOWN}), max_size=2),
            "reasoning_details": JSON,
            "audio": record({"data": BASE64, "transcript": TEXT}, {"id": NAME.filter(bool), "expires_at": WHOLE}),
        },
    ),
    record({"role": just("assistant"), "content": just(None), "refusal": TEXT}),
    record({"role": just("assistant"), "content": just(None), "refusal": just(None), "tool_calls": CALLS}),
)
ANSWER = record(
    {
        "id": NAME,
        "object": just("chat.completion"),
        "created": WHOLE,
        "model": NAME,
        "choices": st.lists(
            record(
                {
                    "index": st.integers(0, 127),
                    "message": ANSWER_MESSAGE,
                    "logprobs": LOGPROBS,
                    "finish_reason": st.sampled_from(["stop", "length", "tool_calls", "function_call", "content_filter"]),
                }
            ),
            min_size=1,
            max_size=2,
        ),
    },
    {"usage": USAGE, "system_fingerprint": st.none() | NAME, "service_tier": NAME},
)
