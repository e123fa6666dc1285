"""Nothing of a request but its head is looked at before its credential is checked, and metrics are for those who may read them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from llm_mesh.policy.v1 import errors_pb2
from llm_mesh_edge.settings import Settings
from llm_mesh_edge.wiring import open_metrics, service
from llm_mesh_runtime.testing import FakePolicy, host
from tests.edge.conftest import Served
from tests.edge.fakes import FakeGateway

PATHS = [("POST", "/v1/chat/completions"), ("POST", "/v1/embeddings"), ("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens"),
         ("GET", "/v1/models"), ("GET", "/v1/models/gpt-4.1")]  # fmt: skip
WRONG: list[tuple[dict[str, str], bytes]] = [
    ({"content-type": "application/json"}, b"{not json"),
    ({"content-encoding": "gzip"}, b"{}"),
    ({"x-llm-mesh-project": "x" * 300}, b"[]"),
    ({"x-llm-mesh-tags": "=", "x-llm-mesh-fidelity": "perfect"}, b'{"model": 5}'),
    ({"anthropic-version": "1"}, b"\xff\xfe"),
]
GOOD = json.dumps({"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}]}).encode()


async def raw(served: Served, request: bytes) -> bytes:
    """What comes back until the connection ends, or is silent."""
    address, _, port = served.address.rpartition(":")
    reader, writer = await asyncio.open_connection(address, int(port))
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    finally:
        writer.close()


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("key", ["", "mk_nobody", "x" * 5000])
async def test_a_stranger_is_told_nothing_but_that_it_is_one(served: Served, method: str, path: str, key: str) -> None:
    said = set()
    for headers, body in WRONG:
        sent = dict(headers) | ({"authorization": f"Bearer {key}"} if key else {})
        sent.pop("anthropic-version", None)  # that only decides about the shape
        async with served.session.request(method, served.url + path, headers=sent, data=body) as answer:
            said.add((answer.status, (await answer.text()).replace(answer.headers["x-request-id"], "")))
    assert len(said) == 1
    assert said.pop()[0] == 401
    assert not served.gateway.asked


async def test_a_stranger_gets_its_answer_before_it_has_sent_its_body(served: Served) -> None:
    for key in (b"", b"authorization: Bearer mk_nobody\r\n"):
        answer = await raw(served, b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n" + key + b"content-length: 90000\r\n\r\n{")
        assert answer.startswith(b"HTTP/1.1 401 ")


async def test_policy_is_asked_about_a_credential_once_and_no_more_on_the_way_of_requests(served: Served) -> None:
    for _ in range(5):
        async with served.session.post(served.url + "/v1/chat/completions", data=GOOD, headers=served.headers) as answer:
            assert answer.status == 200
    about_the_credential = [asked for asked in served.policy.questions if asked.resource == "self"]
    assert len(about_the_credential) == 1


async def test_a_revoked_key_is_a_stranger_at_once(served: Served) -> None:
    assert (await served.post("/v1/chat/completions", data=GOOD))[0] == 200
    del served.policy.keys["mk_ana"]
    served.policy.change()
    await asyncio.sleep(0.1)
    answer = await raw(
        served, b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer mk_ana\r\ncontent-length: 9\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_many_who_show_one_new_credential_at_once_are_one_question(served: Served) -> None:
    async def ask() -> int:
        async with served.session.post(served.url + "/v1/chat/completions", data=GOOD, headers=served.headers) as answer:
            return answer.status

    assert set(await asyncio.gather(*(ask() for _ in range(20)))) == {200}
    assert sum(asked.resource == "self" for asked in served.policy.questions) < 20


@pytest.mark.parametrize(("path", "shape"), [("/v1/chat/completions", ("error",)), ("/v1/messages", ("type", "error", "request_id"))])
async def test_a_head_that_is_too_large_is_refused_in_the_shape_of_the_dialect(served: Served, path: str, shape: tuple[str, ...]) -> None:
    headers = {f"h{number}": "v" for number in range(101)}
    async with served.session.post(served.url + path, headers=served.headers | headers, data=b"{}") as answer:
        body = await answer.json()
        assert answer.status == 431
        assert answer.headers["connection"] == "close"
        assert answer.headers["x-request-id"]
        assert set(shape) <= set(body)
    assert not served.gateway.asked


@pytest.fixture
async def far(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, FakePolicy, dict[str, Any]]]:
    """An edge with settings of the test."""
    policy, given = FakePolicy(), request.param
    settings = Settings(deadline=timedelta(seconds=20), **given)
    services = (policy.service(), FakeGateway().service(), service)
    async with host(*services, settings={"edge": settings}) as mesh:
        addresses = [each.address for each in mesh.hosts["edge"].http]
        yield addresses[0], policy, {"apart": addresses[-1]}


async def got(address: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}/metrics", headers=headers) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize(
    ("access", "address", "everybody"),
    [
        ("auto", "127.0.0.1:8080", True),
        ("auto", "[::1]:8080", True),
        ("auto", "localhost:8080", True),
        ("auto", "0.0.0.0:8080", False),
        ("auto", "[::]:8080", False),
        ("auto", "10.0.0.7:8080", False),
        ("auto", "edge.internal:8080", False),
        ("open", "0.0.0.0:8080", True),
        ("key", "127.0.0.1:8080", False),
    ],
)
def test_metrics_are_open_only_to_this_machine_unless_the_operator_says_so(access: Any, address: str, *, everybody: bool) -> None:
    assert open_metrics(Settings(metrics_access=access), address) is everybody


@pytest.mark.parametrize("far", [{"metrics_access": "key"}], indirect=True)
async def test_metrics_behind_a_key_need_a_permission(far: tuple[str, FakePolicy, dict[str, Any]]) -> None:
    address, policy, _ = far
    assert (await got(address))[0] == 401
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}/readyz") as answer:
        assert await answer.json() == {"status": "ok"}, "nor is a stranger told which services there are"
    assert (await got(address, {"authorization": "Bearer mk_nobody"}))[0] == 401
    status, text = await got(address, {"authorization": "Bearer mk_ana"})
    assert status == 200
    assert "# TYPE" in text
    asked = policy.questions[-1]
    assert (asked.resource, asked.action) == ("domains/platform", "metrics.get")
    policy.denied.add("metrics.get")
    status, text = await got(address, {"authorization": "Bearer mk_ana"})
    assert (status, json.loads(text)["error"]["code"]) == (
        403,
        errors_pb2.ErrorReason.Name(errors_pb2.ERROR_REASON_ACTION_DENIED)[13:].lower(),
    )


@pytest.mark.parametrize("far", [{"metrics_access": "open"}], indirect=True)
async def test_metrics_are_open_where_the_operator_says_so(far: tuple[str, FakePolicy, dict[str, Any]]) -> None:
    assert (await got(far[0]))[0] == 200


@pytest.mark.parametrize("far", [{"metrics_address": "127.0.0.2:0"}], indirect=True)
async def test_metrics_may_have_a_listener_of_their_own(far: tuple[str, FakePolicy, dict[str, Any]]) -> None:
    address, _, others = far
    assert (await got(address))[0] == 404
    assert (await got(others["apart"]))[0] == 200
    async with aiohttp.ClientSession() as session, session.post(f"http://{others['apart']}/v1/chat/completions") as answer:
        assert answer.status == 404
