"""What goes wrong on demand: each fault as the SDKs and a bare socket see it."""

import asyncio
import json
import time
from typing import Any

import anthropic
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.simulator.conftest import Running, ask, http

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
CHAT = "/v1/chat/completions"


def body(model: str, *, stream: bool) -> bytes:
    return json.dumps({"model": model, "messages": HELLO, "stream": stream}).encode()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("sim-400", 400, "invalid_value"),
        ("sim-context-length", 400, "context_length_exceeded"),
        ("sim-401", 401, "invalid_api_key"),
        ("sim-403", 403, "model_not_found"),
        ("sim-404", 404, "model_not_found"),
        ("sim-429", 429, "rate_limit_exceeded"),
        ("sim-quota", 429, "insufficient_quota"),
        ("sim-500", 500, None),
        ("sim-503", 503, None),
    ],
)
async def test_errors_have_openais_shape(chat: openai.AsyncOpenAI, model: str, status: int, code: str | None, *, stream: bool) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        await chat.chat.completions.create(model=model, messages=HELLO, stream=stream)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.request_id
    assert (caught.value.response.headers.get("retry-after") == "1") is (model == "sim-429")


@pytest.mark.parametrize(
    ("model", "status", "kind"),
    [
        ("sim-400", 400, "invalid_request_error"),
        ("sim-context-length", 400, "invalid_request_error"),
        ("sim-401", 401, "authentication_error"),
        ("sim-403", 403, "permission_error"),
        ("sim-404", 404, "not_found_error"),
        ("sim-429", 429, "rate_limit_error"),
        ("sim-500", 500, "api_error"),
        ("sim-529", 529, "overloaded_error"),
    ],
)
async def test_errors_have_anthropics_shape(claude: anthropic.AsyncAnthropic, model: str, status: int, kind: str) -> None:
    with pytest.raises(anthropic.APIStatusError) as caught:
        await claude.messages.create(model=model, max_tokens=9, messages=[{"role": "user", "content": "x"}])
    assert caught.value.status_code == status
    shown: Any = caught.value.body
    assert shown["error"]["type"] == kind


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["sim-reset", "sim-hangup", "sim-not-http"])
async def test_a_connection_can_break_before_the_headers(chat: openai.AsyncOpenAI, simulator: Running, model: str, *, stream: bool) -> None:
    with pytest.raises(openai.APIConnectionError):
        await chat.chat.completions.create(model=model, messages=HELLO, stream=stream)
    served = (await simulator.served())[0]
    assert (served["outcome"], served["fault"], served["tokens"]) == ("failed", model.removeprefix("sim-"), 0)


async def test_a_reset_is_one_and_a_hangup_is_not(simulator: Running) -> None:
    reader, writer = await ask(simulator.port, "POST", CHAT, body("sim-reset", stream=False), {})
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    reader, writer = await ask(simulator.port, "POST", CHAT, body("sim-hangup", stream=False), {})
    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("model", "headers_come"), [("sim-stall", False), ("sim-ok-stall", True), ("sim-mid-stall", True)])
async def test_a_stall_lasts_until_the_client_leaves_and_is_noticed_at_once(
    simulator: Running, model: str, *, headers_come: bool, stream: bool
) -> None:
    reader, writer = await ask(simulator.port, "POST", CHAT, body(model, stream=stream), {})
    if headers_come:
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.readuntil(b"[DONE]"), 0.2)
    left = time.monotonic()
    writer.close()
    served = (await simulator.served())[0]
    assert time.monotonic() - left < 2.5
    assert (served["outcome"], served["fault"]) == ("client_gone", model.removeprefix("sim-"))
    assert served["ms"] > 100, "it stalled for as long as the client stayed, as far as two clocks agree"
    assert served["tokens"] == (3 if model == "sim-mid-stall" and stream else 0)


@pytest.mark.parametrize("model", ["sim-stall/stall_ms:60", "sim-ok-stall/stall_ms:60", "sim-mid-stall/stall_ms:60"])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_stall_can_end(simulator: Running, model: str, *, stream: bool) -> None:
    began = time.monotonic()
    status, _, raw = await http(simulator.port, "POST", CHAT, body(model, stream=stream))
    assert status == 200
    assert time.monotonic() - began >= 0.06
    assert raw.rstrip().endswith(b"[DONE]" if stream else b"}")
    served = (await simulator.served())[0]
    assert served["outcome"] == "completed"


async def received(client: openai.AsyncOpenAI, model: str) -> tuple[int, Exception | None, list[str]]:
    """How many content events came, what ended the stream, and the finish reasons."""
    count, finishes = 0, []
    stream = await client.chat.completions.create(model=model, messages=HELLO, stream=True)
    try:
        async for chunk in stream:
            count += bool(chunk.choices and chunk.choices[0].delta.content)
            finishes += [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
    except Exception as error:  # noqa: BLE001  what it is, is the question
        return count, error, list(finishes)
    return count, None, list(finishes)


@pytest.mark.parametrize("model", ["sim-mid-reset", "sim-mid-hangup"])
async def test_a_stream_can_lose_its_connection(chat: openai.AsyncOpenAI, simulator: Running, model: str) -> None:
    count, error, finishes = await received(chat, model + "/after:5")
    assert count <= 5
    assert error is not None
    assert not isinstance(error, openai.APIStatusError)
    assert finishes == []
    served = (await simulator.served())[0]
    assert (served["outcome"], served["tokens"]) == ("failed", 5)
    assert "usage" not in served


async def test_a_stream_can_end_with_an_error_event(chat: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic) -> None:
    count, error, _ = await received(chat, "sim-mid-error")
    assert count == 3
    assert isinstance(error, openai.APIError)
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        async with claude.messages.stream(model="sim-mid-error", max_tokens=99, messages=[{"role": "user", "content": "x"}]) as stream:
            await stream.get_final_message()


async def test_a_stream_can_end_too_early_or_without_its_mark(simulator: Running) -> None:
    _, _, cut = await http(simulator.port, "POST", CHAT, body("sim-truncate", stream=True))
    assert cut.count(b"data: ") == 4  # the role and three tokens
    assert b'"finish_reason":"' not in cut
    _, _, unmarked = await http(simulator.port, "POST", CHAT, body("sim-no-done", stream=True))
    assert b'"finish_reason":"stop"' in unmarked
    assert b"[DONE]" not in unmarked


async def test_json_can_be_broken(simulator: Running) -> None:
    for model in ("sim-malformed", "sim-truncate", "sim-empty"):
        status, headers, raw = await http(simulator.port, "POST", CHAT, body(model, stream=False))
        assert status == 200
        assert int(headers["content-length"]) == len(raw)
        with pytest.raises(json.JSONDecodeError):
            json.loads(raw)
    _, _, raw = await http(simulator.port, "POST", CHAT, body("sim-malformed", stream=True))
    broken = 0
    for event in raw.decode().strip().split("\n\n")[:-1]:
        try:
            json.loads(event.removeprefix("data: "))
        except json.JSONDecodeError:
            broken += 1
    assert broken == 1
    status, headers, raw = await http(simulator.port, "POST", CHAT, body("sim-html", stream=False))
    assert (status, headers["content-type"]) == (502, "text/html")


@pytest.mark.parametrize("model", ["sim-mid-reset", "sim-mid-hangup", "sim-mid-error"])
async def test_json_can_lose_its_connection(chat: openai.AsyncOpenAI, model: str) -> None:
    with pytest.raises(openai.APIConnectionError):
        await chat.chat.completions.create(model=model, messages=HELLO)


@pytest.mark.parametrize(
    "model",
    ["sim-crlf", "sim-comments", "sim-unknown-fields", "sim-duplicate-fields", "sim-huge", "sim-split-utf8", "sim-drip/drip_ms:0",
     "sim-utf8/wire:crlf.comments.unknown.duplicate.split/drip_ms:0"],
)  # fmt: skip
async def test_quirks_of_the_wire_change_nothing_that_is_said(
    chat: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic, model: str
) -> None:
    plain = "sim-utf8" if "utf8" in model else "sim-echo"
    said = (await chat.chat.completions.create(model=plain, messages=HELLO)).choices[0].message.content
    whole = await chat.chat.completions.create(model=model, messages=HELLO)
    assert whole.choices[0].message.content == said
    stream = await chat.chat.completions.create(model=model, messages=HELLO, stream=True)
    assert "".join([c.delta.content or "" async for chunk in stream for c in chunk.choices]) == said
    async with claude.messages.stream(model=model, max_tokens=999, messages=[{"role": "user", "content": "Hello"}]) as events:
        assert await events.get_final_text() == said


async def test_characters_really_are_cut_between_writes(simulator: Running) -> None:
    _, writer = await ask(simulator.port, "POST", CHAT, body("sim-echo", stream=True), {})
    writer.close()
    reader, writer = await ask(simulator.port, "POST", CHAT, body("sim-split-utf8", stream=True), {})
    await reader.readuntil(b"\r\n\r\n")
    cut = 0
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunk = await reader.readexactly(size + 2)
        try:
            chunk.decode()
        except UnicodeDecodeError:
            cut += 1
    writer.close()
    assert cut > 20


async def test_usage_can_be_absent_or_absurd(chat: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic, simulator: Running) -> None:
    honest = (await chat.chat.completions.create(model="sim-echo", messages=HELLO)).usage
    assert honest is not None
    assert (await chat.chat.completions.create(model="sim-no-usage", messages=HELLO)).usage is None
    billed = (await chat.chat.completions.create(model="sim-overbill", messages=HELLO)).usage
    assert billed is not None
    assert billed.total_tokens == 100 * honest.total_tokens
    cached = (await chat.chat.completions.create(model="sim-cached", messages=HELLO)).usage
    assert cached is not None
    assert cached.prompt_tokens_details is not None
    assert (cached.prompt_tokens, cached.prompt_tokens_details.cached_tokens) == (1000, 500)
    zero = await claude.messages.create(model="sim-zero-usage", max_tokens=9, messages=[{"role": "user", "content": "x"}])
    assert (zero.usage.input_tokens, zero.usage.output_tokens) == (0, 0)
    assert (await simulator.served(5))[2]["usage"]["prompt"] == billed.prompt_tokens
