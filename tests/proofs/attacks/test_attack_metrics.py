"""Every metric that the pages, the alerts and the dashboard name has samples on a running mesh, and moves when what it counts happens."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from llm_mesh.policy.v1 import identity_pb2
from tests.architecture.repository import ROOT
from tests.deploy.test_telemetry_stack import expressions, metrics_and_labels
from tests.proofs.http import call
from tests.proofs.load import chat_body
from tests.proofs.stand import PROJECT, Stand, charge, model, provider, stand, until
from tests.proofs.topology import topology

FAILING, BROKEN = "fails", "refused"
_NAME = re.compile(r"(?:llm_mesh|gen_ai|http_server|rpc_server)_[a-z0-9_]+")
_ROW = re.compile(r"^\| `(\w+)` \| `[\w.]+` \| (?:counter|gauge|histogram) \| (.*?) \|", re.MULTILINE)
_SUFFIXES = re.compile(r"_(?:bucket|sum|count|created)$")
_OF_THE_EDGE = {"http_server_request_duration_seconds"}
_OF_EVERY_PROCESS = {"llm_mesh_loop_slow_turn_duration_seconds", "llm_mesh_loop_slow_turns_total"}
_NO_METRICS = {"llm_mesh_process", "llm_mesh_code"}
"""A label, and a field of the edge's errors."""
_SELDOM = {
    "llm_mesh_ledger_alerts_total": "an overrun, an implausible usage, or a difference of meters",
    "llm_mesh_loop_slow_turn_duration_seconds": "a turn of the loop that is too long",
    "llm_mesh_loop_slow_turns_total": "the same",
    "llm_mesh_workers_restarts_total": "a worker that ended by itself",
}
"""What need not move here: each has its own test. All of them have samples from the start."""


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A mesh of which each kind of request that a metric counts has been asked once."""
    folder: Path = tmp_path_factory.mktemp("metrics")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        made.put_models(
            [model("whole", "sim-echo"), model("streamed", "sim-words"), model(FAILING, "sim-401"), model(BROKEN, "x", endpoint="nobody")]
        )
        made.apply_policy(projects=[identity_pb2.Project(name=PROJECT, keep_answers=True)])
        yield made


@cache
def documented() -> dict[str, str]:
    """Each metric of the pages with where it stands."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = dict(_ROW.findall(page))
    labels = {label for cell in rows.values() for label in re.findall(r"`(\w+)`", cell)} | _NO_METRICS
    found = dict.fromkeys(rows, "docs/operations.md")
    for path in (*ROOT.glob("docs/*.md"), *ROOT.glob("services/**/README.md"), ROOT / "README.md"):
        for span in re.findall(r"`([^`\n]+)`", path.read_text(encoding="utf-8")):
            if _NAME.fullmatch(span) and span not in labels and not _is_a_package(span):
                found.setdefault(span, str(path.relative_to(ROOT)))
    return found


def _is_a_package(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


@cache
def read_by_operators() -> dict[str, str]:
    """Each metric that an alert or a panel reads, with its name."""
    return {_SUFFIXES.sub("", name): where for where, expression in expressions() for name in metrics_and_labels(expression)[0]}


def samples(mesh: Stand) -> dict[str, float]:
    """The sum of all samples of each metric, by the name that the pages have: of histograms how many were observed."""
    reply = call(mesh.mesh.addresses["http"], "GET", "/metrics")
    assert reply.status == 200
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(reply.body.decode()):
        for sample in family.samples:
            if not sample.name.endswith(("_bucket", "_sum", "_created")):
                name = sample.name.removesuffix("_count") if family.type == "histogram" else sample.name
                found[name] = found.get(name, 0.0) + sample.value
    return found


def still(mesh: Stand, names: set[str]) -> set[str]:
    """Those that have counted nothing."""
    found = samples(mesh)
    return {name for name in names if not found.get(name)}


def expected(name: str) -> bool:
    """Whether the process or processes that answer at this topology's HTTP port have the metric."""
    if topology() == "separate":  # services that stand alone send theirs by OTLP; at the edge there are the edge's own
        return name in _OF_THE_EDGE | _OF_EVERY_PROCESS
    if name.startswith(("llm_mesh_workers_", "llm_mesh_link_", "llm_mesh_process_")):
        return topology() == "workers"
    return True


def test_every_metric_of_pages_alerts_and_dashboard_has_a_sample_after_a_request_of_each_kind(mesh: Stand) -> None:
    once = {"idempotency-key": "once"}
    assert mesh.ask(chat_body("whole", "good morning"), headers=once).status == 200
    until(lambda: mesh.ask(chat_body("whole", "good morning"), headers=once).status == 200, "the kept answer is repeated", 5.0)
    assert mesh.ask({**chat_body("streamed", "good morning"), "stream": True}).status == 200
    assert mesh.ask(chat_body(FAILING, "good morning")).status >= 500
    for _ in range(8):  # the breaker opens after five failures, in whichever of the processes they come together
        mesh.ask(chat_body(BROKEN, "good morning"))
    names = documented() | read_by_operators()
    assert len(names) > 20
    wanted = {name: where for name, where in names.items() if expected(name)}
    assert {name: where for name, where in wanted.items() if name not in samples(mesh)} == {}
    counting = {name for name in wanted if name.endswith(("_total", "_seconds", "_usage")) and not name.startswith("process_")}
    assert still(mesh, counting) - set(_SELDOM) == set()


def test_the_cost_that_is_counted_is_what_the_ledger_charged(mesh: Stand) -> None:
    if topology() == "separate":
        pytest.skip("policy sends its metrics by OTLP there")
    before = samples(mesh).get("llm_mesh_cost_nanos_total", 0.0)
    answer = mesh.ask(chat_body("whole", "what does this cost"))
    usage = answer.json()["usage"]
    cost = charge(usage["prompt_tokens"], usage["completion_tokens"])
    assert cost > 0
    assert mesh.entry(answer.headers["x-request-id"]).charged.nanos == cost
    until(lambda: samples(mesh)["llm_mesh_cost_nanos_total"] - before == cost, "the metric has the charge", 5.0)


def test_alertable_counters_are_there_before_what_they_count_has_happened(mesh: Stand) -> None:
    """What Prometheus first sees at 1 has not increased for it, and the alert would stay silent."""
    if topology() == "separate":
        pytest.skip("gateway and policy send their metrics by OTLP there")
    assert mesh.ask(chat_body("whole", "hi")).status == 200  # an endpoint's counters begin with its first call
    text = call(mesh.mesh.addresses["http"], "GET", "/metrics").body.decode()
    for metric, label, value in (
        ("llm_mesh_operator_faults_total", "reason", "PRICE_UNKNOWN"),
        ("llm_mesh_ledger_alerts_total", "kind", "overrun"),
        ("llm_mesh_adapter_breaker_opened_total", "endpoint", "simulator"),
        ("llm_mesh_loop_slow_turn_duration_seconds_count", "clock", "thread"),
    ):
        assert re.search(rf'^{metric}{{[^}}]*{label}="{value}"[^}}]*}} ', text, re.MULTILINE), (metric, value)


def test_no_metric_is_sent_that_the_pages_do_not_name(mesh: Stand) -> None:
    unnamed = {name for name in samples(mesh) if name not in documented() and not name.startswith(("process_", "python_gc_"))}
    assert unnamed - {"llm_mesh_process_up"} == set()
    assert "llm_mesh_process_up" in documented()
