"""While the process is overloaded, requests are refused at the door, and whoever asks after its health is answered."""

import pytest

from llm_mesh_runtime.pressure import Pressure
from tests.edge.conftest import Served

LARGE = {"model": "m", "messages": [{"role": "user", "content": "x" * 90_000}]}


@pytest.fixture
def overloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pressure, "excessive", property(lambda _: True))


@pytest.mark.usefixtures("overloaded")
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/embeddings", "/v1/messages/count_tokens"])
async def test_a_request_is_refused_before_anything_is_asked(served: Served, path: str) -> None:
    for _ in range(2):  # the connection stays good
        status, body, headers = await served.post(path, json=LARGE)
        assert status == 503
        assert body["error"]["message"]
        assert headers["retry-after"] == "1"
        assert headers.get("x-should-retry") != "false"
    assert not served.gateway.asked


@pytest.mark.usefixtures("overloaded")
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_health_and_metrics_are_answered(served: Served, path: str) -> None:
    async with served.session.get(served.url + path) as answer:
        assert answer.status == 200
