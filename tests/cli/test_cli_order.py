"""The order that makes a process a worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_mesh.services import SERVICES
from llm_mesh_cli.up.order import Order
from llm_mesh_cli.up.services import of_main, of_worker
from llm_mesh_runtime.settings import MeshSettings

OWN = frozenset({"edge", "gateway", "adapter/openai"})


def order(tmp_path: Path, number: int = 2, workers: int = 3) -> Order:
    (tmp_path / "mesh.secret").write_text("s" * 40)
    return Order(number, workers, "127.0.0.1:8080", str(tmp_path), "/run/m", ("policy", "router", "gateway", "adapter/openai"))


def test_an_order_arrives_as_it_was_given_and_has_no_secret(tmp_path: Path) -> None:
    line = order(tmp_path).line()
    assert line.count(b"\n") == 1
    assert Order.read(line) == order(tmp_path)
    assert b"ssss" not in line


def test_a_worker_finds_what_it_does_not_host_and_every_other_process(tmp_path: Path) -> None:
    given = MeshSettings(links={"router": "mux+dns:///elsewhere:50052"})
    overrides = order(tmp_path).overrides(given, OWN)
    assert overrides["links"] == {
        "policy": "mux+unix:/run/m/policy.sock",
        "router": "mux+dns:///elsewhere:50052",
        "process/main": "mux+unix:/run/m/process-main.sock",
        "process/worker-1": "mux+unix:/run/m/process-worker-1.sock",
        "process/worker-3": "mux+unix:/run/m/process-worker-3.sock",
    }
    assert overrides["secret"].reveal() == "s" * 40
    assert MeshSettings(**overrides).processes == 4


@pytest.mark.parametrize(("given", "workers", "each"), [(1000, 3, 333), (2, 4, 1), (64, 64, 1)])
def test_what_is_worked_on_at_once_is_shared_out(tmp_path: Path, given: int, workers: int, each: int) -> None:
    overrides = order(tmp_path, workers=workers).overrides(MeshSettings(concurrency=given, queue=given), OWN)
    assert (overrides["concurrency"], overrides["queue"]) == (each, given // workers)


def test_every_service_is_hosted_somewhere_and_what_owns_data_once() -> None:
    names = [*(each.name for each in SERVICES), "adapter/elsewhere", "console"]
    assert all(of_main(name) or of_worker(name) for name in names)
    assert {name for name in names if of_main(name) and of_worker(name)} == {
        "gateway",
        *(name for name in names if name.startswith("adapter/")),
    }
    assert [name for name in names if not of_main(name)] == ["edge"]
    assert not [each.name for each in SERVICES if each.database and of_worker(each.name)]
