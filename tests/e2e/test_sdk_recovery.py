"""Official SDKs with their usual retries, and a provider that fails once: through the mesh they recover as they do directly."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import openai
import pytest
from anthropic import Anthropic
from openai import OpenAI

from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc, usage_pb2
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from tests.e2e.running import RunningMesh, running
from tests.e2e.scripted_upstream import ScriptedUpstream, scripted_upstream
from tests.proofs.http import call
from tests.proofs.stand import bearer, until

SAYS: Mapping[str, str] = {"content-type": "application/json"}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
LIMITED = {"error": {"message": "Slow down", "type": "requests", "code": "rate_limit_exceeded", "param": None}}
FAILURES: Mapping[str, Mapping[str, Any]] = {
    "429": {"status": 429, "json": LIMITED, "headers": {"retry-after-ms": "100"}},
    "429-without-a-wish": {"status": 429, "json": LIMITED},
    "503": {"status": 503, "json": {"error": {"message": "no capacity"}}},
    "529": {"status": 529, "json": OVERLOADED},
    "500": {"status": 500, "json": {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}},
    "408": {"status": 408, "json": {"error": {"message": "timeout"}}},
    "reset": {"reset": True},
}
USAGE = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
CHUNK = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
WHOLE: Mapping[str, Any] = {
    "openai": {
        "id": "c1", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    },
    "anthropic": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 5, "output_tokens": 1},
    },
}  # fmt: skip
STREAMED: Mapping[str, Any] = {
    "openai": [
        {**CHUNK, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "hi"}, "finish_reason": None}]},
        {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**CHUNK, "choices": [], "usage": USAGE},
    ],
    "anthropic": [
        {"type": "message_start", "message": {**WHOLE["anthropic"], "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ],
}
MODELS = {f"{dialect}-{kind}": dialect for dialect in WHOLE for kind in (*FAILURES, "quota", "long", "key", "gone", "empty")}


@dataclass(frozen=True)
class FailingStand:
    """A mesh, and a provider that fails as it is told."""

    mesh: RunningMesh
    upstream: ScriptedUpstream

    def answers(self, dialect: str, *first: Mapping[str, Any], streamed: bool) -> None:
        """Fail as told, then answer."""
        texts = [_frame(dialect, event) for event in STREAMED[dialect]] + ([] if dialect == "anthropic" else ["data: [DONE]\n\n"])
        self.upstream.script = {"pieces": texts} if streamed else {"json": WHOLE[dialect]}
        self.upstream.failures = list(first)
        self.upstream.received.clear()

    def entry(self, request: str) -> usage_pb2.LedgerEntry:
        """The ledger's entry of a request."""
        with grpc.insecure_channel(self.mesh.grpc) as opened:
            channel: Any = opened
            stub: Any = ledger_pb2_grpc.LedgerServiceStub(channel)
            asked = ledger_pb2.ListLedgerEntriesRequest(parent="domains/default/projects/default", request_id=request)
            (found,) = until(lambda: stub.ListLedgerEntries(asked, metadata=bearer(self.mesh.admin_key)).entries, "it is entered")
            entry: usage_pb2.LedgerEntry = found
            return entry


def _frame(dialect: str, event: Mapping[str, Any]) -> str:
    return (f"event: {event['type']}\n" if dialect == "anthropic" else "") + f"data: {json.dumps(event)}\n\n"


@pytest.fixture(scope="module")
def failing_stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FailingStand]:
    """A model per kind of failure, so that the breaker of one does not concern another; repetitions are not short of budget."""
    with scripted_upstream() as upstream:
        base = f"http://127.0.0.1:{upstream.port}"
        env = {
            "LLM_MESH_GATEWAY_RETRY_FLOOR": "1000",
            "LLM_MESH_ADAPTER_OPENAI_CREDENTIAL_FAILING": "sk-failing",
            "LLM_MESH_ADAPTER_ANTHROPIC_CREDENTIAL_FAILING": "sk-failing",
            "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_FAILING": json.dumps({"base_url": f"{base}/v1", "local": True, "credential": "failing"}),
            "LLM_MESH_ADAPTER_ANTHROPIC_ENDPOINT_FAILING": json.dumps(
                {"base_url": base, "local": True, "credential": "failing", "auth": "x-api-key"}
            ),
        }
        with running(tmp_path_factory.mktemp("failing"), env=env) as mesh:
            with grpc.insecure_channel(mesh.grpc) as opened:
                channel: Any = opened
                registry: Any = registry_pb2_grpc.RegistryServiceStub(channel)
                models = [_model(alias, dialect) for alias, dialect in MODELS.items()]
                models.append(_model("operators-fault", "openai", endpoint="unheard-of"))
                request = registry_pb2.ApplyModelsRequest(parent="domains/platform", models=models)
                registry.ApplyModels(request, metadata=bearer(mesh.admin_key))
            until(lambda: {model.alias for model in models} <= _aliases(mesh), "the router knows the models", pause=0.05)
            yield FailingStand(mesh, upstream)


def _model(alias: str, dialect: str, endpoint: str = "failing") -> registry_pb2.Model:
    return registry_pb2.Model(
        name=f"domains/shared/models/{alias}", alias=alias, adapter=dialect, endpoint=endpoint, upstream_model=alias,
        capabilities=["generate", "streaming"], context_window=200_000, max_output_tokens=1_000,
        price=registry_pb2.Price(
            currency="USD", source="these tests", input_nanos_per_million=10**12, output_nanos_per_million=2 * 10**12,
        ),
    )  # fmt: skip


def _aliases(mesh: RunningMesh) -> set[str]:
    answer = call(mesh.addresses["http"], "GET", "/v1/models", headers={"authorization": f"Bearer {mesh.project_key}"})
    return {model["id"] for model in json.loads(answer.body)["data"]}


def ask(stand: FailingStand, edge: str, model: str, *, streamed: bool, request: str = "", **options: Any) -> str:
    """What an SDK makes of it, with its usual number of retries unless `max_retries` says another."""
    headers = {"x-request-id": request} if request else {}
    messages: Any = [{"role": "user", "content": "hi"}]
    if edge == "openai":
        with OpenAI(base_url=stand.mesh.base_url, api_key=stand.mesh.project_key, timeout=30, **options) as client:
            made: Any = client.chat.completions.create(model=model, messages=messages, stream=streamed, extra_headers=headers)
            if not streamed:
                return str(made.choices[0].message.content)
            return "".join(chunk.choices[0].delta.content or "" for chunk in made if chunk.choices)
    with Anthropic(base_url=stand.mesh.http, api_key=stand.mesh.project_key, timeout=30, **options) as client:
        if not streamed:
            whole: Any = client.messages.create(model=model, max_tokens=50, messages=messages, extra_headers=headers)
            return str(whole.content[0].text)
        with client.messages.stream(model=model, max_tokens=50, messages=messages, extra_headers=headers) as stream:
            return stream.get_final_text()


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("way", ["whole", "streamed"])
@pytest.mark.parametrize("dialect", WHOLE)
@pytest.mark.parametrize("edge", ["openai", "anthropic"])
def test_an_sdk_recovers_from_one_failure(failing_stand: FailingStand, edge: str, dialect: str, way: str, kind: str) -> None:
    failing_stand.answers(dialect, FAILURES[kind], streamed=way == "streamed")
    assert ask(failing_stand, edge, f"{dialect}-{kind}", streamed=way == "streamed") == "hi"
    assert len(failing_stand.upstream.received) == 2


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("way", ["whole", "streamed"])
def test_the_mesh_itself_repeats_and_enters_each_attempt_once(failing_stand: FailingStand, way: str, kind: str) -> None:
    failing_stand.answers("openai", FAILURES[kind], streamed=way == "streamed")
    request = f"repeated-{way}-{kind}"
    model = f"openai-{kind}"
    assert ask(failing_stand, "openai", model, streamed=way == "streamed", request=request, max_retries=0) == "hi"
    entry = until(lambda: _settled(failing_stand.entry(request)), "it is settled")
    first, second = entry.lines
    assert first.usage.attempt_id != second.usage.attempt_id
    assert (first.usage.outcome, second.usage.outcome) == (usage_pb2.ATTEMPT_OUTCOME_FAILED, usage_pb2.ATTEMPT_OUTCOME_COMPLETED)
    assert second.charge.nanos == 7 * 10**6
    assert (first.charge.nanos > 0) == (kind == "reset"), "only what broke off may have been billed"
    assert entry.charged.nanos == first.charge.nanos + second.charge.nanos <= entry.reserved.nanos
    assert not entry.overrun


def _settled(entry: usage_pb2.LedgerEntry) -> usage_pb2.LedgerEntry | None:
    return entry if entry.state == usage_pb2.RESERVATION_STATE_SETTLED else None


def test_what_remains_says_when_to_try_again_that_nothing_was_charged_and_that_an_sdk_should(failing_stand: FailingStand) -> None:
    failing_stand.answers("openai", *[FAILURES["503"]] * 3, streamed=False)
    with pytest.raises(openai.InternalServerError) as raised:
        ask(failing_stand, "openai", "openai-gone", streamed=False, max_retries=0)
    headers = raised.value.response.headers
    assert raised.value.status_code == 503
    assert (headers["retry-after"], headers["x-should-retry"], headers["x-llm-mesh-cost"]) == ("1", "true", "0")
    assert len(failing_stand.upstream.received) == 3


def test_a_long_wish_is_told_at_once(failing_stand: FailingStand) -> None:
    failing_stand.answers("openai", {**FAILURES["429"], "headers": {"retry-after": "40"}}, streamed=False)
    with pytest.raises(openai.RateLimitError) as raised:
        ask(failing_stand, "openai", "openai-long", streamed=False, max_retries=0)
    assert (raised.value.response.headers["retry-after"], raised.value.code) == ("40", "rate_limit_exceeded")
    assert len(failing_stand.upstream.received) == 1


@pytest.mark.parametrize(
    ("script", "status", "code", "ours", "param"),
    [
        ({"status": 429, "json": {"error": {"message": "You exceeded your current quota", "type": "insufficient_quota",
          "code": "insufficient_quota"}}}, 429, "insufficient_quota", "provider_rate_limited", None),
        ({"status": 400, "json": {"error": {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded",
          "param": "messages"}}}, 400, "context_length_exceeded", "context_exceeded", "messages"),
        ({"status": 400, "json": {"error": {"message": "bad value", "type": "invalid_request_error", "code": "invalid_value",
          "param": "messages[0].role"}}}, 400, "invalid_value", "provider_rejected", "messages[0].role"),
        ({"status": 401, "json": {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}}, 502,
         "provider_unauthenticated", "provider_unauthenticated", None),
    ],
)  # fmt: skip
def test_the_providers_words_reach_the_caller_in_the_words_of_the_dialect(
    failing_stand: FailingStand, script: Mapping[str, Any], status: int, code: str, ours: str, param: str | None
) -> None:
    failing_stand.answers("openai", script, streamed=False)
    with pytest.raises(openai.APIStatusError) as raised:
        ask(failing_stand, "openai", "openai-quota", streamed=False)
    body: Any = raised.value.body
    assert (raised.value.status_code, raised.value.code, body["llm_mesh_code"], raised.value.param) == (status, code, ours, param)
    assert len(failing_stand.upstream.received) == 1, "neither the mesh nor the SDK repeats what is in vain"
    assert raised.value.response.headers["x-llm-mesh-cost"] == "0"


@pytest.mark.parametrize("script", [{"pieces": [""], "type": "application/json"}, {"json": {"choices": "none"}}, {"json": {}}])
def test_a_bad_answer_without_usage_costs_nothing(failing_stand: FailingStand, script: Mapping[str, Any]) -> None:
    failing_stand.answers("openai", script, streamed=False)
    with pytest.raises(openai.APIStatusError) as raised:
        ask(failing_stand, "openai", "openai-empty", streamed=False, request="bad-answer", max_retries=0)
    assert raised.value.status_code in {502, 503}
    assert raised.value.response.headers["x-llm-mesh-cost"] == "0"


def test_an_operators_fault_is_the_meshs_and_counted(failing_stand: FailingStand) -> None:
    with pytest.raises(openai.InternalServerError) as raised:
        ask(failing_stand, "openai", "operators-fault", streamed=False)
    assert raised.value.code == "unknown_endpoint"
    metrics = call(failing_stand.mesh.addresses["http"], "GET", "/metrics").body.decode()
    assert 'llm_mesh_operator_faults_total{reason="UNKNOWN_ENDPOINT"} 1.0' in metrics


def test_each_failure_of_a_provider_is_one_line_of_the_log_without_its_words(failing_stand: FailingStand) -> None:
    secret = "words that nobody else may read"
    failing_stand.answers("openai", {"status": 503, "json": {"error": {"message": secret}}}, streamed=False)
    ask(failing_stand, "openai", "openai-key", streamed=False, request="logged", max_retries=0)
    text = failing_stand.mesh.log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if "a provider failed" in line]
    (line,) = [line for line in lines if line.get("request_id") == "logged"]
    told = {key: line[key] for key in ("reason", "endpoint", "model", "status")}
    assert told == {"reason": "PROVIDER_ERROR", "endpoint": "failing", "model": "openai-key", "status": "503"}
    assert line["attempt"]
    assert secret not in text
