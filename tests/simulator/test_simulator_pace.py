"""Pace, failure sequences, the admin interface and the log."""

import asyncio
import json
import time

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.simulator.conftest import Running, ask, http

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
CHAT = "/v1/chat/completions"


async def test_the_first_token_and_the_rate_keep_their_time(chat: openai.AsyncOpenAI) -> None:
    began = time.monotonic()
    stream = await chat.chat.completions.create(model="sim-words/tokens:10/ttft_ms:100/rate:100", messages=HELLO, stream=True)
    times = [time.monotonic() - began async for chunk in stream if chunk.choices and chunk.choices[0].delta.content]
    assert len(times) == 10
    assert times[0] >= 0.1
    assert times[-1] >= 0.19
    assert times[-1] - times[0] >= 0.08
    began = time.monotonic()
    await chat.chat.completions.create(model="sim-words/tokens:10/ttft_ms:100/rate:100", messages=HELLO)
    assert time.monotonic() - began >= 0.2


async def test_headers_can_come_before_the_first_token(simulator: Running) -> None:
    body = json.dumps({"model": "sim-echo/ttft_ms:1500/headers_ms:0", "messages": HELLO, "stream": True}).encode()
    began = time.monotonic()
    reader, writer = await ask(simulator.port, "POST", CHAT, body, {})
    await reader.readuntil(b"\r\n\r\n")
    assert time.monotonic() - began < 1.4
    await reader.readuntil(b"[DONE]")
    assert time.monotonic() - began >= 1.5
    writer.close()


async def test_a_client_that_leaves_is_noticed_in_the_middle_of_a_stream(simulator: Running) -> None:
    body = json.dumps({"model": "sim-words/tokens:1000/rate:50", "messages": HELLO, "stream": True}).encode()
    reader, writer = await ask(simulator.port, "POST", CHAT, body, {})
    await reader.readuntil(b'"content":"')
    left = time.monotonic()
    writer.close()
    served = (await simulator.served())[0]
    assert time.monotonic() - left < 2.5
    assert served["outcome"] == "client_gone"
    assert 1 <= served["tokens"] < 100
    _, stats = await simulator.admin("GET", "stats")
    assert (stats["client_gone"], stats["in_flight"]) == (1, 0)


async def test_a_client_that_does_not_read_holds_the_answer_back_and_may_leave(simulator: Running) -> None:
    body = json.dumps({"model": "sim-words/tokens:200000", "messages": HELLO, "stream": True}).encode()
    reader, writer = await ask(simulator.port, "POST", CHAT, body, {})
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport reads too
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(simulator.served(), 0.2)
    writer.transport.abort()
    assert (await simulator.served())[0]["outcome"] == "client_gone"


async def test_only_the_first_requests_fail(chat: openai.AsyncOpenAI) -> None:
    for _ in range(2):
        with pytest.raises(openai.RateLimitError):
            await chat.chat.completions.create(model="sim-429/first:2", messages=HELLO)
    answer = await chat.chat.completions.create(model="sim-429/first:2", messages=HELLO)
    assert answer.choices[0].message.content == "Hello"


async def test_a_behaviour_set_for_any_model_holds_until_it_is_dropped(chat: openai.AsyncOpenAI, simulator: Running) -> None:
    status, shown = await simulator.admin("PUT", "behaviours/acme/gpt-4.1", {"sequence": [{"status": 500}, {"fault": "reset"}, {}]})
    assert (status, shown) == (200, {"sequence": [{"status": 500}, {"fault": "reset"}, {}]})
    with pytest.raises(openai.InternalServerError):
        await chat.chat.completions.create(model="acme/gpt-4.1", messages=HELLO)
    with pytest.raises(openai.APIConnectionError):
        await chat.chat.completions.create(model="acme/gpt-4.1", messages=HELLO)
    for _ in range(2):
        await chat.chat.completions.create(model="acme/gpt-4.1", messages=HELLO)
    await simulator.admin("PUT", "behaviours/acme/gpt-4.1", {"like": "sim-words", "tokens": 3})
    assert (await simulator.admin("GET", "behaviours/acme/gpt-4.1"))[1] == {"answer": "words", "tokens": 3}
    assert "acme/gpt-4.1" in [each.id async for each in chat.models.list()]
    assert (await simulator.admin("DELETE", "behaviours/acme/gpt-4.1"))[1] == {"dropped": True}
    answer = await chat.chat.completions.create(model="acme/gpt-4.1", messages=HELLO)
    assert answer.choices[0].message.content == "Hello"


@pytest.mark.parametrize(
    "behaviour",
    [
        {"speed": 1},
        {"rate": -1},
        {"rate": "fast"},
        {"status": 200},
        {"fault": "none at all"},
        {"wire": ["odd"]},
        {"sequence": []},
        [],
        {"calls": 1.5},
    ],
)
async def test_a_wrong_behaviour_is_refused_with_what_would_be_right(simulator: Running, behaviour: object) -> None:
    status, answer = await simulator.admin("PUT", "behaviours/sim-echo", behaviour)
    assert status == 400
    assert answer["error"]


async def test_each_request_has_a_line_before_its_answer_starts(simulator: Running) -> None:
    body = json.dumps({"model": "sim-stall", "messages": HELLO}).encode()
    sent = {"x-request-id": "r-1", "idempotency-key": "k-1", "llm-mesh-attempt": "a-1", "authorization": "Bearer sk-secret"}
    _, writer = await ask(simulator.port, "POST", CHAT, body, sent)
    (line,) = await simulator.wait_for("received")
    assert len(simulator.lines()) == 1
    assert (line["x-request-id"], line["idempotency-key"], line["llm-mesh-attempt"]) == ("r-1", "k-1", "a-1")
    assert line["model"] == "sim-stall"
    assert line["digest"].startswith("sha256:")
    assert line["prompt_tokens"] == 8
    assert line["usage"]["completion"] == 1
    assert "sk-secret" not in simulator.log.read_text()
    writer.close()
    served = (await simulator.served())[0]
    assert served["id"] == line["id"]


async def test_the_log_and_the_last_requests_can_be_looked_at(chat: openai.AsyncOpenAI, simulator: Running) -> None:
    raw = await chat.chat.completions.with_raw_response.create(model="sim-echo", messages=HELLO, extra_body={"extra": {"kept": True}})
    await chat.chat.completions.create(model="sim-words", messages=HELLO)
    _, log = await simulator.admin("GET", "log?model=sim-echo&event=received")
    assert [entry["id"] for entry in log["entries"]] == [raw.request_id]
    assert log["path"] == str(simulator.log)
    _, shown = await simulator.admin("GET", "requests?limit=2")
    first = shown["requests"][0]
    assert json.loads(first["body"])["extra"] == {"kept": True}
    assert first["headers"]["authorization"] == "***"
    await simulator.admin("DELETE", "log")
    assert (await simulator.admin("GET", "log"))[1]["entries"] == []
    assert len(simulator.lines()) == 4


async def test_what_does_not_exist_is_not_found(simulator: Running) -> None:
    assert (await http(simulator.port, "GET", "/v1/nothing"))[0] == 404
    assert (await http(simulator.port, "GET", CHAT))[0] == 404
    assert (await http(simulator.port, "DELETE", "/v1/models"))[0] == 405
    assert (await http(simulator.port, "GET", "/healthz"))[0] == 200
    assert (await simulator.admin("POST", "behaviours"))[0] == 404


async def test_azure_names_the_model_in_the_path(simulator: Running) -> None:
    path = "/openai/deployments/sim-echo/chat/completions?api-version=2025-01-01"
    status, _, raw = await http(simulator.port, "POST", path, json.dumps({"messages": HELLO}).encode())
    assert status == 200
    assert json.loads(raw)["model"] == "sim-echo"
