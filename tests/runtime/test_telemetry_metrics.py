"""Metrics stay bounded, cheap to read, and named by the conventions."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from llm_mesh_runtime.telemetry import RpcObserver
from llm_mesh_runtime.telemetry.metrics import MOST_VALUES, OTHER, Metrics


def samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The values of a metric by those of its labels, in the alphabetical order of the text format."""
    families = text_string_to_metric_families(metrics.render().decode())
    return {tuple(s.labels.values()): s.value for family in families for s in family.samples if s.name == name}


def test_a_label_takes_a_bounded_number_of_values_and_counts_the_rest_as_other() -> None:
    metrics = Metrics()
    counter = metrics.counter("llm_mesh.asked", "Questions.", ("model",))
    for number in range(MOST_VALUES + 50):
        counter.labels(f"model-{number}").inc()
    counted = samples(metrics, "llm_mesh_asked_total")
    assert len(counted) == MOST_VALUES + 1
    assert counted[OTHER,] == 50
    assert sum(counted.values()) == MOST_VALUES + 50
    assert len(counter._series) == MOST_VALUES + 1


def test_declaring_an_instrument_again_gives_the_same_one() -> None:
    metrics = Metrics()
    assert metrics.counter("llm_mesh.asked", "Questions.") is metrics.counter("llm_mesh.asked", "Questions.")
    with pytest.raises(ValueError, match="otherwise"):
        metrics.gauge("llm_mesh.asked", "Questions.")


def test_two_hosts_in_one_process_do_not_share_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.counter("llm_mesh.asked", "Questions.").labels().inc()
    assert b"llm_mesh_asked" not in other.render()


def test_prometheus_names_follow_from_the_names_and_units_of_opentelemetry() -> None:
    metrics = Metrics()
    metrics.histogram("rpc.server.call.duration", "Calls.").labels().observe(1)
    text = metrics.render().decode()
    assert "rpc_server_call_duration_seconds_count 1.0" in text
    assert "_created" not in text


def test_a_watched_value_is_asked_when_the_metrics_are_read() -> None:
    metrics, waiting = Metrics(), [1]
    metrics.watch("llm_mesh.queue.waiting", "Waiting calls.", lambda: float(len(waiting)), service="policy")
    waiting.append(2)
    assert samples(metrics, "llm_mesh_queue_waiting") == {("policy",): 2}


class Method:
    path = "/llm_mesh.policy.v1.PolicyService/Admit"


class Call:
    request_id = "r-1"
    metadata: dict[str, str | bytes] = {}  # noqa: RUF012 (as a frame has it)


def test_calls_are_counted_by_method_and_status_and_leave_nothing_in_flight() -> None:
    metrics = Metrics()
    observer = RpcObserver("policy", metrics).method(Method())
    first, second = observer.begin(Call()), observer.begin(Call())
    assert samples(metrics, "llm_mesh_rpc_in_flight") == {("policy", "llm_mesh.policy.v1.PolicyService/Admit"): 2}
    observer.end(first, "OK", 0.01)
    observer.end(second, "UNAVAILABLE", 0.02)
    counted = samples(metrics, "rpc_server_call_duration_seconds_count")
    assert {labels[-1]: value for labels, value in counted.items()} == {"OK": 1, "UNAVAILABLE": 1}
    assert set(samples(metrics, "llm_mesh_rpc_in_flight").values()) == {0}
