"""Calls to models are measured and traced by the names of the GenAI conventions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client.parser import text_string_to_metric_families

from llm_mesh_adapter_kit.genai import GenAi
from llm_mesh_runtime.context import Frame
from llm_mesh_runtime.telemetry import outbound
from llm_mesh_runtime.telemetry.metrics import Metrics
from llm_mesh_runtime.telemetry.rpc import MethodObserver
from tests.observed import observer_of


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def observer(exporter: InMemorySpanExporter) -> Iterator[MethodObserver]:
    with observer_of("adapter/openai", "/llm_mesh.adapter.v1.AdapterService/Generate", exporter) as made:
        yield made


def samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The values of a metric by those of its labels, in the alphabetical order of the text format."""
    families = text_string_to_metric_families(metrics.render().decode())
    return {tuple(s.labels.values()): s.value for family in families for s in family.samples if s.name == name}


def test_a_call_to_a_provider_is_a_client_span_of_the_genai_conventions(observer: MethodObserver, exporter: InMemorySpanExporter) -> None:
    token = observer.begin(Frame(request_id="r"))
    with GenAi(Metrics()).call("chat", "openai", "gpt-4.1", {"gen_ai.request.max_tokens": 5}) as call:
        call.set("gen_ai.usage.input_tokens", 10)
        headers = dict(outbound())
    observer.end(token, "OK", 0.1)
    made = {each.name: each for each in exporter.get_finished_spans()}["chat gpt-4.1"]
    assert made.kind is SpanKind.CLIENT
    assert made.context is not None
    assert f"{made.context.span_id:016x}" in headers["traceparent"]
    assert dict(made.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1",
        "gen_ai.request.max_tokens": 5,
        "gen_ai.usage.input_tokens": 10,
    }


def test_tokens_and_durations_of_a_call_are_recorded_by_the_genai_conventions() -> None:
    metrics = Metrics()
    genai = GenAi(metrics)
    genai.ended("chat", "openai", "gpt-4.1", seconds=1.5)
    genai.first_chunk("chat", "openai", "gpt-4.1", 0.2)
    genai.used("chat", "openai", "gpt-4.1", input_tokens=10, output_tokens=3)
    assert samples(metrics, "gen_ai_client_token_usage_sum") == {
        ("chat", "openai", "gpt-4.1", "input"): 10,
        ("chat", "openai", "gpt-4.1", "output"): 3,
    }
    assert samples(metrics, "gen_ai_client_operation_duration_seconds_sum") == {("", "chat", "openai", "gpt-4.1"): 1.5}
