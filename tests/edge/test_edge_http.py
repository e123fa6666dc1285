"""HTTP as it should not be: each of it gets a documented answer in JSON, and nothing reaches the gateway."""

import asyncio
import http.client
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.edge.conftest import Served
from tests.edge.fakes import STARTED, text

CHAT = "/v1/chat/completions"
IMAGE = {"type": "image_url", "image_url": {"url": 5}}
GOOD = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


async def raw(served: Served, data: bytes, *, end: bool = False) -> bytes:
    """What comes back for these very bytes."""
    host, port = served.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        if end:
            writer.write_eof()
        await writer.drain()
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b'{"model": "\xff"}', "invalid_json"),
        (b'{"model": "\\ud800"}', "invalid_json"),
        (b"[1]", "invalid_json"),
        (b'{"model": NaN}', "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
    ],
)
async def test_what_is_no_json_object_is_refused(served: Served, data: bytes, code: str) -> None:
    status, body, _ = await served.post(CHAT, data=data[:99_000])
    assert status == 400
    assert body["error"]["code"] == code
    assert not served.gateway.asked


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": 5}, "model"),
        ({"messages": "hi"}, "messages"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": 5}}]}]},
            "messages[0].content[0].image_url.url",
        ),
        ({"temperature": "hot"}, "temperature"),
        ({"stream": "yes"}, "stream"),
        ({"tools": [{"type": "function", "function": {"name": 1}}]}, "tools[0].function.name"),
        ({"llm_mesh": 5}, "llm_mesh"),
        ({"llm_mesh": {"tags": {"a": 1}}}, "llm_mesh.tags.a"),
        ({"llm_mesh": {"prompt": {"label": "x"}}}, "llm_mesh.prompt.name"),
        ({"llm_mesh": {"nonsense": 1}}, "llm_mesh.nonsense"),
        ({"llm_mesh": {"fidelity": "perfect"}}, "llm_mesh.fidelity"),
    ],
)
async def test_a_wrong_type_is_named_by_its_path(served: Served, change: dict[str, Any], param: str) -> None:
    status, body, _ = await served.post(CHAT, json=GOOD | change)
    assert status == 400
    assert body["error"]["param"] == param
    assert body["error"]["type"] == "invalid_request_error"
    assert not served.gateway.asked


async def test_an_oversized_body_is_refused_by_its_declared_length(served: Served) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer mk_ana\r\ncontent-length: 5000000\r\n\r\n"
    answer = await raw(served, head)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"code":"message_too_large"' in answer
    assert b"connection: close" in answer


async def test_an_oversized_body_is_refused_when_it_comes_in_chunks(served: Served) -> None:
    async def chunks() -> Any:
        for _ in range(200):
            yield b" " * 1000

    status, body, _ = await served.post(CHAT, data=chunks())
    assert (status, body["error"]["code"]) == (413, "message_too_large")


@pytest.mark.parametrize(("key", "status"), [("mk_ana", 413), ("mk_nobody", 401), ("", 401)])
async def test_a_client_that_writes_all_of_its_oversized_body_before_it_reads_gets_the_answer(
    served: Served, key: str, status: int
) -> None:
    def post() -> int:
        connection = http.client.HTTPConnection(served.address, timeout=20)
        connection.request("POST", CHAT, body=b" " * 20_000_000, headers={"authorization": f"Bearer {key}"})
        try:
            return connection.getresponse().status
        finally:
            connection.close()

    assert await asyncio.to_thread(post) == status


async def test_a_slow_upload_is_ended(served: Served) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer mk_ana\r\ncontent-length: 50\r\n\r\n{"
    answer = await raw(served, head)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"code":"request_timeout"' in answer


async def test_trailers_of_a_chunked_body_are_no_headers(served: Served) -> None:
    body = json.dumps(GOOD).encode()
    request = (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer mk_ana\r\nconnection: close\r\n"
        b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nx-llm-mesh-project: stolen\r\nx-request-id: forged\r\n\r\n"
    )
    answer = await raw(served, request % (len(body), body))
    assert answer.startswith(b"HTTP/1.1 200")
    assert "x-llm-mesh-project" not in served.gateway.metadata[0]
    assert served.gateway.metadata[0]["x-request-id"] != "forged"


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v1/chat/completions/", "/v1/models/"])
async def test_an_unknown_path_is_told_in_json(served: Served, path: str) -> None:
    status, body, headers = await served.post(path, json={})
    assert (status, body["error"]["code"]) == (404, "not_found")
    assert headers["x-request-id"]


async def test_a_wrong_method_is_told_in_json(served: Served) -> None:
    async with served.session.get(served.url + CHAT) as answer:
        assert answer.status == 405
        assert answer.headers["allow"] == "OPTIONS, POST"
        assert (await answer.json())["error"]["code"] == "method_not_allowed"


async def test_options_and_head(served: Served) -> None:
    async with served.session.options(served.url + CHAT) as answer:
        assert (answer.status, answer.headers["allow"]) == (204, "OPTIONS, POST")
    async with served.session.head(served.url + "/v1/models", headers=served.headers) as answer:
        assert answer.status == 200
        assert await answer.read() == b""


async def test_liveness_readiness_and_metrics(served: Served) -> None:
    await served.post(CHAT, json=GOOD)
    async with served.session.get(served.url + "/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})
    async with served.session.get(served.url + "/readyz") as answer:
        assert answer.status == 200
        assert (await answer.json())["services"]["edge"]
    async with served.session.get(served.url + "/metrics") as answer:
        told = await answer.text()
    assert 'http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="200"' in told


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Basic abc"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer käse"},
        {"authorization": "Bearer " + "x" * 5000},
        {},
    ],
)
async def test_a_credential_that_cannot_be_read_is_missing(served: Served, headers: dict[str, str]) -> None:
    status, body, answered = await served.post(CHAT, json=GOOD, headers=headers)
    assert (status, body["error"]["code"], body["error"]["llm_mesh_code"]) == (401, "invalid_api_key", "missing_credential")
    assert answered["www-authenticate"] == "Bearer"


async def test_a_credential_that_stands_twice_is_refused(served: Served) -> None:
    body = json.dumps(GOOD).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer mk_bob\r\nauthorization: Bearer mk_ana\r\n"
    answer = await raw(served, head + b"connection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
    assert answer.startswith(b"HTTP/1.1 400")
    assert not served.gateway.asked


async def test_a_compressed_body_is_refused(served: Served) -> None:
    status, body, _ = await served.post(CHAT, data=b"x", headers=served.headers | {"content-encoding": "gzip"})
    assert (status, body["error"]["param"]) == (400, "content-encoding")


async def test_a_garbled_request_id_is_replaced(served: Served) -> None:
    _, _, headers = await served.post(CHAT, json=GOOD, headers=served.headers | {"x-request-id": "x" * 500})
    assert len(headers["x-request-id"]) == 32


async def test_a_slow_client_slows_the_gateway_down(served: Served) -> None:
    produced = 0

    async def count() -> None:
        nonlocal produced
        produced += 1

    served.gateway.says = [STARTED, *(each for _ in range(5000) for each in (text("x" * 5000), count))]
    body = json.dumps(GOOD | {"stream": True}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer mk_ana\r\ncontent-length: %d\r\n\r\n"
    host, port = served.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(head % len(body) + body)
    await reader.readexactly(15)
    before = -1
    while produced > before:  # until nothing moves any more
        before = produced
        await asyncio.sleep(0.05)
    assert produced < 4000
    writer.transport.abort()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from([
    "model", "messages", "tools", "tool_choice", "n", "stop", "stream", "stream_options", "temperature", "response_format", "logit_bias",
    "max_tokens", "logprobs", "user", "modalities", "reasoning_effort", "llm_mesh", "input", "dimensions", "encoding_format", "anything",
    "system", "stop_sequences", "thinking", "output_config", "metadata", "anthropic_beta",
])  # fmt: skip
blocks = st.lists(st.dictionaries(st.sampled_from(["type", "text", "source", "input", "id", "name", "content"]), json_values), max_size=2)
message = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(["name", "tool_calls", "tool_call_id", "refusal"], json_values)
    | {"role": st.sampled_from(["user", "assistant", "tool"]) | json_values, "content": blocks | json_values},
)
bodies = st.dictionaries(keys, json_values, max_size=8).flatmap(
    lambda body: st.lists(message, max_size=3).map(lambda messages: {"model": "m", "max_tokens": 9, "messages": messages, **body})
)


@given(body=bodies, path=st.sampled_from([CHAT, "/v1/embeddings", "/v1/messages", "/v1/messages/count_tokens"]))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
async def test_whatever_json_comes_the_answer_is_documented(served: Served, body: dict[str, Any], path: str) -> None:
    try:
        data = json.dumps(body).encode()
    except UnicodeEncodeError:
        return
    async with served.session.post(served.url + path, data=data, headers=served.headers) as answer:
        await answer.read()
        assert answer.status < 500, (data, await answer.text())
        if answer.status != 200:
            assert (
                {"message", "type", "code"} <= set((await answer.json())["error"]) <= {"message", "type", "param", "code", "llm_mesh_code"}
            )


@given(data=st.binary(max_size=200))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
async def test_whatever_bytes_come_the_answer_is_documented(served: Served, data: bytes) -> None:
    status, body, _ = await served.post(CHAT, data=data)
    assert 400 <= status < 500
    assert body["error"]["code"]
