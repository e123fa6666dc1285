"""While the process is overloaded, requests are refused at the door, and whoever asks after its health is answered."""

import asyncio
import re

import orjson
import pytest

from llm_mesh_runtime.pressure import Pressure
from llm_mesh_runtime.shares import Party
from tests.edge.conftest import Served

LARGE = {"model": "m", "messages": [{"role": "user", "content": "x" * 90_000}]}
WORK = ["/v1/chat/completions", "/v1/messages", "/v1/embeddings", "/v1/messages/count_tokens"]


@pytest.fixture
def overloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pressure, "admits", lambda *_: False)


@pytest.mark.usefixtures("overloaded")
@pytest.mark.parametrize("path", WORK)
async def test_a_request_is_refused_before_anything_is_asked(served: Served, path: str) -> None:
    for _ in range(2):  # the connection stays good
        status, body, headers = await served.post(path, json=LARGE, headers={**served.headers, "x-request-id": "mine"})
        assert status == 503
        assert re.fullmatch(r"server overloaded; retry after [12]\.[0-9] s", body["error"]["message"])
        assert body["error"]["code"] == "overloaded"
        assert headers["retry-after"] in {"1", "2"}
        assert 1000 <= int(headers["retry-after-ms"]) < 2000
        assert headers["content-type"] == "application/json"
        assert headers["x-request-id"] == headers["request-id"] == "mine"
        assert headers.get("x-should-retry") != "false"
        assert body.get("request_id") == ("mine" if "messages" in path else None)
    assert not served.gateway.asked


@pytest.mark.usefixtures("overloaded")
async def test_a_refusal_is_made_where_no_task_was(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("llm_mesh_edge.http.app.Edge.__call__", never)
    assert (await served.post(WORK[0], json=LARGE))[0] == 503


@pytest.mark.usefixtures("overloaded")
async def test_those_who_are_refused_are_not_all_told_the_same_time(served: Served) -> None:
    told = [int((await served.post(WORK[0], json=LARGE))[2]["retry-after-ms"]) for _ in range(16)]
    assert sorted(told) == [1000 + round(step * 62.5 + 0.1) for step in range(16)]


@pytest.mark.usefixtures("overloaded")
async def test_refusals_are_counted_as_other_answers(served: Served) -> None:
    await served.post(WORK[0], json=LARGE)
    async with served.session.get(served.url + "/metrics") as answer:
        counted = [line for line in (await answer.text()).splitlines() if 'status_code="503"' in line and "_count" in line]
    assert len(counted) == 1
    assert WORK[0] in counted[0]
    assert counted[0].endswith(" 1.0")


@pytest.mark.usefixtures("overloaded")
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_health_and_metrics_are_answered(served: Served, path: str) -> None:
    async with served.session.get(served.url + path) as answer:
        assert answer.status == 200


@pytest.mark.usefixtures("overloaded")
@pytest.mark.parametrize("path", WORK)
async def test_what_costs_nothing_is_answered_too(served: Served, path: str) -> None:
    async with served.session.options(served.url + path) as answer:
        assert answer.status == 204
    async with served.session.get(served.url + path) as answer:
        assert answer.status == 405


async def test_whoever_is_let_in_leaves_again_however_it_ends(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, empty = set[object](), asyncio.Event()
    enter, leave = Pressure.enter, Pressure.leave

    def entered(pressure: Pressure, party: Party) -> bool:
        inside.add(object())
        empty.clear()
        return enter(pressure, party)

    def left(pressure: Pressure, party: Party) -> None:
        inside.pop()
        if not inside:
            empty.set()
        leave(pressure, party)

    monkeypatch.setattr(Pressure, "enter", entered)
    monkeypatch.setattr(Pressure, "leave", left)
    for body, status in ((orjson.dumps(LARGE), 200), (b"no JSON", 400), (b"x" * 100_001, 413)):
        assert (await served.post(WORK[0], data=body))[0] == status
        async with asyncio.timeout(5):
            await empty.wait()
    served.gateway.waits = served.gateway.wait
    leaving = asyncio.create_task(served.post(WORK[0], json=LARGE))
    await served.gateway.waiting.wait()
    assert inside
    leaving.cancel()
    async with asyncio.timeout(5):
        await empty.wait()
