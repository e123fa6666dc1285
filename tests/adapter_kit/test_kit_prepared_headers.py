"""What calls have in common is prepared once, and still checked for each of them."""

from __future__ import annotations

from typing import cast

import pytest

from llm_mesh_adapter_kit.asking import Asking
from llm_mesh_adapter_kit.dialect import Call, Dialect
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.genai import GenAi
from llm_mesh_adapter_kit.http import BrokenError, HttpAnswer, HttpRequest, header_lines
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_adapter_kit.limits import Limits, Timers
from llm_mesh_adapter_kit.prepared import PreparedHeaders
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.telemetry.metrics import Metrics

CALL = Call("/chat", b"{}")


def endpoint(**more: object) -> Endpoint:
    keys = {"credential": Secret("usual"), "credentials": {"other": Secret("another")}}
    return Endpoint(name="e", provider="E", base_url="https://provider.test/v1", **keys | more)  # type: ignore[arg-type]


def test_calls_of_a_kind_share_their_lines() -> None:
    headers, at = PreparedHeaders(), endpoint(headers={"x-team": "blue"})
    first = headers.of(at, CALL, "", "domains/a")
    assert first.lines == "x-team: blue\r\nauthorization: Bearer usual\r\ncontent-type: application/json\r\n"
    assert headers.of(at, Call("/other", b"[]"), "", "domains/b") is first


def test_what_differs_between_calls_is_sent_as_it_is() -> None:
    headers, at = PreparedHeaders(), endpoint()
    for _ in range(2):
        assert headers.of(at, CALL, "", "").headers["authorization"] == "Bearer usual"
        assert headers.of(at, CALL, "other", "").headers["authorization"] == "Bearer another"
        assert headers.of(at, CALL._replace(headers={"version": "1"}), "", "").headers["version"] == "1"
        assert headers.of(at, CALL._replace(headers={"version": "2"}), "", "").headers["version"] == "2"
        assert "content-type" not in headers.of(at, CALL._replace(body=b""), "", "").headers


def test_a_domain_that_may_not_use_the_credential_is_refused_each_time() -> None:
    headers, at = PreparedHeaders(), endpoint(domains=("domains/a",))
    for _ in range(2):
        headers.of(at, CALL, "", "domains/a")
        with pytest.raises(AdapterError):
            headers.of(at, CALL, "", "domains/b")


def test_a_credential_that_is_missing_is_missed_each_time() -> None:
    headers, at = PreparedHeaders(), endpoint(credential=Secret(""), auth=Auth(required=True))
    for _ in range(2):
        with pytest.raises(AdapterError):
            headers.of(at, CALL, "", "")
        with pytest.raises(AdapterError):
            headers.of(at, CALL, "unknown", "")


def test_nothing_shows_the_credential() -> None:
    assert "usual" not in repr(PreparedHeaders().of(endpoint(), CALL, "", ""))


class Recording:
    """A client that only notes what it was to send."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpAnswer:
        self.requests.append(request)
        raise BrokenError

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_header_that_call_and_operator_send_goes_out_once() -> None:
    recording, at = Recording(), endpoint(headers={"x-llm-mesh-attempt": "the operator's"})
    genai = GenAi(Metrics())
    asking = Asking(cast("Dialect", None), Lanes(Metrics()), lambda _: recording, genai)
    with pytest.raises(AdapterError):
        await asking.begin(at, CALL, asking.headers.of(at, CALL, "", ""), Timers(Limits(), wants_first=True), attempt="a1")
    request = recording.requests[0]
    lines = request.prepared + header_lines(request.headers)
    assert lines.count("x-llm-mesh-attempt") == 1
    assert "x-llm-mesh-attempt: a1\r\n" in lines
    assert "authorization: Bearer usual\r\n" in lines
