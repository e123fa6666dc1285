"""What a provider's status, words and wishes mean, whatever else stands beside them."""

import itertools
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_adapter_anthropic.provider import failures as anthropic
from llm_mesh_adapter_bedrock.provider import failures as bedrock
from llm_mesh_adapter_cohere.provider import failures as cohere
from llm_mesh_adapter_gemini.provider import failures as gemini
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.retry_after import retry_after
from llm_mesh_adapter_ollama.provider import failures as ollama
from llm_mesh_adapter_openai.provider import failures as openai

DAY = 86_400.0
LIMITED = 429


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-4"}, 0.0),
        ({"retry-after": "1e300"}, DAY),
        ({}, None),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-tokens": "6m0s"}, 1.0),
        ({"x-ratelimit-reset-requests": "120ms", "x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "0"}, 360.0),
        ({"x-ratelimit-reset-requests": "120ms", "x-ratelimit-reset-tokens": "6m0s"}, 0.12),
        ({"x-ratelimit-reset-requests": "2m59.56s"}, 179.56),
        ({"x-ratelimit-reset-tokens": "1h2m3s"}, 3723.0),
        ({"x-ratelimit-reset-tokens": "7.66s", "retry-after": "2"}, 2.0),
        ({"x-ratelimit-reset": "5"}, 5.0),
        ({"ratelimit-reset": "7", "ratelimit-remaining": "0"}, 7.0),
        ({"x-ratelimit-reset": "tomorrow"}, None),
        ({"x-ratelimit-reset-requests": ""}, None),
    ],
)
def test_the_wish_to_be_left_alone_is_read(headers: dict[str, str], seconds: float | None) -> None:
    wait = retry_after(headers, LIMITED)
    assert wait == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    "name", ["retry-after", "anthropic-ratelimit-requests-reset", "anthropic-ratelimit-tokens-reset", "x-ratelimit-reset"]
)
def test_a_moment_is_a_span_from_now(name: str) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=30)
    forms = [format_datetime(moment, usegmt=True), moment.isoformat().replace("+00:00", "Z"), moment.isoformat()]
    if name == "x-ratelimit-reset":
        forms += [str(int(time.time() + 30)), str(int((time.time() + 30) * 1000))]
    for form in forms:
        wait = retry_after({name: form}, LIMITED)
        assert wait is not None
        assert 27 < wait <= 31, form


def test_resets_are_no_wish_where_no_limit_was_met() -> None:
    assert retry_after({"x-ratelimit-reset-requests": "9s"}, 500) is None


HEADERS = [
    "retry-after", "retry-after-ms", "x-ratelimit-reset", "x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset",
    "x-ratelimit-remaining-tokens",
]  # fmt: skip
VALUES = st.text(max_size=40) | st.floats().map(str) | st.datetimes().map(str) | st.datetimes().map(format_datetime)


@given(st.dictionaries(st.sampled_from(HEADERS), VALUES))
def test_whatever_a_header_holds_a_wait_is_none_or_at_most_a_day(headers: dict[str, str]) -> None:
    wait = retry_after(headers, LIMITED)
    assert wait is None or 0 <= wait <= DAY


# The status outranks the words.

WORDS = [
    "context_length_exceeded", "content_filter", "model_not_found", "invalid_api_key", "rate_limit_exceeded", "insufficient_quota",
    "server_error", "invalid_request_error", "authentication_error", "permission_error", "billing_error", "not_found_error",
    "rate_limit_error", "overloaded_error", "", "prompt is too long", "Incorrect API key provided", "model x does not exist",
    "Your credit balance is too low", "Output blocked by content filtering policy", "maximum context length is 8192",
]  # fmt: skip
MEANINGS = {
    401: {"PROVIDER_UNAUTHENTICATED"},
    402: {"PROVIDER_RATE_LIMITED"},
    403: {"PROVIDER_UNAUTHENTICATED", "PROVIDER_FILTERED", "PROVIDER_MODEL_NOT_FOUND"},
    408: {"PROVIDER_ERROR"},
    409: {"PROVIDER_ERROR"},
    413: {"CONTEXT_EXCEEDED"},
    429: {"PROVIDER_RATE_LIMITED"},
    **{key: {"PROVIDER_ERROR"} for key in [498, 500, 501, 502, 503, 504, 520, 529, 599]},
}


BLOCKED = 498
"""No capacity elsewhere; at Cohere a token that it blocks."""


def failures_of(status: int, words: tuple[str, str, str]) -> list[AdapterError]:
    code, kind, message = words
    theirs = orjson.dumps({"error": {"message": message, "type": kind, "code": code, "param": "messages"}})
    others = orjson.dumps({"type": "error", "error": {"type": kind or code, "message": message}})
    googles = orjson.dumps({"error": {"code": status, "message": message, "status": kind or code}})
    amazons = orjson.dumps({"message": message, "__type": kind or code})
    plain = [(ollama, {"error": message})] if status == BLOCKED else [(ollama, {"error": message}), (cohere, {"message": message})]
    return [
        openai.of_answer("here", status, {}, theirs),
        anthropic.of_answer("here", status, {}, others),
        bedrock.of_answer("here", status, {}, amazons),
        gemini.of_answer("here", status, {}, googles),
        *(dialect.of_answer("here", status, {}, orjson.dumps(body)) for dialect, body in plain),
    ]


@pytest.mark.parametrize("status", MEANINGS)
def test_a_status_means_the_same_whatever_the_body_says(status: int) -> None:
    for words in itertools.product(WORDS[:7], ["", "invalid_request_error", "billing_error"], WORDS[14:]):
        for error in failures_of(status, words):
            assert error.reason_name in MEANINGS[status], words
            assert error.metadata["provider_status"] == str(status)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_is_about_the_request_is_told_by_the_words(status: int) -> None:
    told, *_ = failures_of(status, ("context_length_exceeded", "invalid_request_error", "too long"))
    assert told.reason_name == "CONTEXT_EXCEEDED"
    said = {key: told.metadata[key] for key in ("provider_code", "provider_type", "provider_param")}
    assert said == {"provider_code": "context_length_exceeded", "provider_type": "invalid_request_error", "provider_param": "messages"}


@pytest.mark.parametrize("dialect", [openai, anthropic, bedrock, gemini, ollama, cohere])
@pytest.mark.parametrize(
    ("status", "message", "exhausted"),
    [
        (429, "You exceeded your current quota, please check your plan and billing details.", True),
        (402, "", True),
        (429, "Slow down", False),
        (500, "You exceeded your current quota", False),
    ],
)
def test_a_quota_that_is_used_up_is_not_a_limit_that_passes(dialect: object, status: int, message: str, exhausted: bool) -> None:  # noqa: FBT001
    body = orjson.dumps({"error": {"message": message}, "message": message})
    error: AdapterError = dialect.of_answer("here", status, {}, body)  # type: ignore[attr-defined]
    assert (error.metadata.get("quota") == "exhausted") == exhausted


@pytest.mark.parametrize("status", [401, 429, 503])
def test_an_error_under_200_that_names_a_status_means_that_status(status: int) -> None:
    body = orjson.dumps({"error": {"message": "context window", "code": status}})
    error = openai.of_answer("here", 200, {}, body)
    assert error.reason_name in MEANINGS.get(status, set())
