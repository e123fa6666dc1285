"""An edge that is one of several behind a port: it answers for all of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from llm_mesh_edge.domain.exposition import joined
from llm_mesh_edge.settings import Settings
from llm_mesh_edge.wiring import service
from llm_mesh_runtime.telemetry.metrics import Metrics
from llm_mesh_runtime.testing import FakePolicy, host
from tests.edge.fakes import FakeGateway


def text_of(count: int) -> str:
    metrics = Metrics()
    metrics.counter("llm_mesh.things", "Things {that} happen.", ("kind",)).labels('a "b" {c} d').inc(count)
    metrics.gauge("llm_mesh.level", "How high.").labels().set(count)
    metrics.histogram("llm_mesh.times", "How long.", ("kind",)).labels("x").observe(0.2)
    return metrics.render().decode()


def test_families_of_several_processes_are_joined_and_each_sample_tells_its_process() -> None:
    text = joined({"main": text_of(1), "worker-1": text_of(2), "worker-2": None})
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {"llm_mesh_things", "llm_mesh_level", "llm_mesh_times_seconds", "llm_mesh_process_up"} <= families.keys()
    things = {sample.labels["llm_mesh_process"]: sample for sample in families["llm_mesh_things"].samples}
    assert {name: sample.value for name, sample in things.items()} == {"main": 1, "worker-1": 2}
    assert things["main"].labels["kind"] == 'a "b" {c} d'
    assert {sample.labels["llm_mesh_process"]: sample.value for sample in families["llm_mesh_level"].samples} == {"main": 1, "worker-1": 2}
    up = {sample.labels["llm_mesh_process"]: sample.value for sample in families["llm_mesh_process_up"].samples}
    assert up == {"main": 1, "worker-1": 1, "worker-2": 0}
    assert text.count("# TYPE llm_mesh_times_seconds histogram") == 1
    single = {(sample.name, *sorted(sample.labels.items())) for family in families.values() for sample in family.samples}
    assert len(single) == sum(len(family.samples) for family in families.values())


@pytest.fixture
async def lonely(tmp_path: Path) -> AsyncIterator[str]:
    """A worker whose main process does not answer."""
    links = {"process/main": f"mux+unix:{tmp_path}/nobody.sock"}
    services = (FakePolicy().service(), FakeGateway().service(), service)
    run = str(tmp_path / "run")
    async with host(*services, settings={"edge": Settings()}, process="worker-1", sockets=run, links=links) as mesh:
        yield f"http://{mesh.http('edge')}"


async def test_a_worker_that_cannot_reach_what_owns_the_data_takes_no_work(lonely: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(lonely + "/readyz") as answer:
        told = json.loads(await answer.text())
        assert answer.status == 503
        assert told["status"] == "unavailable"
        assert {name for name, serving in told["services"].items() if not serving} == {"process/main"}


async def test_a_process_that_does_not_answer_is_told_as_down(lonely: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(lonely + "/metrics") as answer:
        lines = (await answer.text()).splitlines()
        assert answer.status == 200
    assert 'llm_mesh_process_up{llm_mesh_process="main"} 0' in lines
    assert 'llm_mesh_process_up{llm_mesh_process="worker-1"} 1' in lines
