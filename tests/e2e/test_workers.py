"""A mesh of several processes behind one port, as its users and operators see it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest
from openai import OpenAI

from llm_mesh_runtime.host.sockets import sockets_folder
from tests.contract.certificates import authority
from tests.e2e.running import RunningMesh, children, environment, free_port, llm_mesh, running

TWO = {"LLM_MESH_WORKERS": "2"}
PROCESSES = {"main", "worker-1", "worker-2"}


def until(done: Callable[[], object], what: str, time_limit: float = 30.0) -> None:
    end = time.monotonic() + time_limit
    while not done():
        assert time.monotonic() < end, f"not within {time_limit:g} s: {what}"
        time.sleep(0.02)


def get(mesh: RunningMesh, path: str) -> str:
    """Asked on a connection of its own: the kernel chooses who answers."""
    with urlopen(mesh.http + path, timeout=10) as answer:  # noqa: S310 (loopback)
        text: str = answer.read().decode()
    return text


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ask(mesh: RunningMesh, model: str = "sim-echo") -> str | None:
    with OpenAI(base_url=mesh.base_url, api_key=mesh.project_key, max_retries=0, timeout=30) as client:
        return client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}]).choices[0].message.content


def served(mesh: RunningMesh) -> dict[str, float]:
    found = re.findall(r'^llm_mesh_attempts_total\{llm_mesh_process="([^"]+)",.*\} (\S+)$', get(mesh, "/metrics"), re.MULTILINE)
    return {process: float(count) for process, count in found}


def test_whichever_worker_is_asked_tells_the_metrics_of_all_processes_once(with_workers: RunningMesh) -> None:
    until(lambda: ask(with_workers) == "hi" and {"worker-1", "worker-2"} <= served(with_workers).keys(), "both workers serve")
    for _ in range(6):
        lines = get(with_workers, "/metrics").splitlines()
        samples = [line for line in lines if not line.startswith("#")]
        assert all(line.count('llm_mesh_process="') == 1 for line in samples)
        assert len({line.rpartition(" ")[0] for line in samples}) == len(samples), "no series twice"
        types = [line for line in lines if line.startswith("# TYPE")]
        assert len({line.split()[2] for line in types}) == len(types), "no family twice"
        assert {line.partition('llm_mesh_process="')[2].partition('"')[0] for line in samples} == PROCESSES
        assert {f'llm_mesh_process_up{{llm_mesh_process="{name}"}} 1' for name in PROCESSES} <= set(lines)


def test_readiness_speaks_for_the_worker_and_for_the_process_that_owns_the_data(with_workers: RunningMesh) -> None:
    until(lambda: len({tuple(sorted(json.loads(get(with_workers, "/readyz"))["services"])) for _ in range(8)}) == 2, "both are asked")
    services = json.loads(get(with_workers, "/readyz"))["services"]
    assert all(services.values())
    assert {"edge", "gateway", "policy", "registry", "router", "process/main"} <= services.keys()


def test_the_command_line_knows_the_workers(with_workers: RunningMesh) -> None:
    states = json.loads(with_workers.cli("health", "--json").stdout)
    assert {name for name in states if name.startswith("process/")} == {f"process/{name}" for name in PROCESSES}
    assert all(states.values())
    findings = json.loads(with_workers.cli("doctor", "--json").stdout)
    assert [each["value"] for each in findings if each["what"] == "workers"] == ["2 accept HTTP"]


def test_only_the_owner_reaches_the_sockets(with_workers: RunningMesh) -> None:
    folder = Path(sockets_folder(with_workers.data_dir))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    sockets = list(folder.glob("*.sock"))
    assert {"policy.sock", "process-main.sock", "process-worker-1.sock", "process-worker-2.sock"} <= {path.name for path in sockets}
    assert {stat.S_IMODE(path.stat().st_mode) for path in sockets} == {0o600}


def test_a_worker_that_is_killed_comes_back_and_its_leases_are_ended(tmp_path: Path) -> None:
    with running(tmp_path, env=TWO) as mesh:
        first, other = children(mesh.process.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: 'llm_mesh_workers_restarts_total{llm_mesh_process="main",worker="worker-1"} 1.0' in _metrics(mesh), "it is counted")
        until(lambda: mesh.cli("health").returncode == 0, "it serves again")
        after = children(mesh.process.pid)
        assert first not in after
        assert other in after
        epochs = mesh.data_dir / "gateway-worker-1.epochs"
        until(lambda: len(epochs.read_text().split()) == 1, "policy knows that the epoch of the killed one has ended")
        assert ask(mesh) == "hi"
        assert mesh.stop() == 0


def _metrics(mesh: RunningMesh) -> str:
    try:
        return get(mesh, "/metrics")
    except OSError:  # the killed one took the connection with it
        return ""


def test_no_worker_outlives_the_main_process_and_the_next_start_takes_over(tmp_path: Path) -> None:
    deep = tmp_path / ("a-folder-that-is-too-deep-for-the-path-of-a-socket-" * 2)
    with running(tmp_path, env=TWO, data_dir=deep) as first:
        assert ask(first) == "hi"
        workers = children(first.process.pid)
        assert len(workers) == 2
        first.kill()
        until(lambda: not any(map(alive, workers)), "all have ended", time_limit=5)
    assert len(list(deep.glob("gateway-worker-*.epochs"))) == 2
    (tmp_path / "ready").unlink()
    with running(tmp_path, data_dir=deep) as second:
        assert ask(second) == "hi"
        assert list(deep.glob("gateway-worker-*.epochs")) == [], "their epochs were handed to the new gateway"
        until(lambda: len((deep / "gateway.epochs").read_text().split()) == 1, "policy knows that all of them have ended")
        rows = json.loads(second.cli("spend", "--project", "default", "--json").stdout)["rows"]
        assert sum(int(row["requests"]) for row in rows) == 2
        assert second.stop() == 0
    assert not Path(sockets_folder(deep)).exists(), "what the killed one left among temporary files is gone"


def test_a_stream_is_finished_and_settled_before_anything_ends(tmp_path: Path) -> None:
    with running(tmp_path, env=TWO) as mesh:
        connection = http.client.HTTPConnection(mesh.addresses["http"], timeout=30)
        body = json.dumps({"model": "sim-slow", "stream": True, "max_tokens": 40, "messages": [{"role": "user", "content": "hi"}]})
        headers = {"authorization": f"Bearer {mesh.project_key}", "content-type": "application/json"}
        connection.request("POST", "/v1/chat/completions", body, headers)
        answer = connection.getresponse()
        begun = answer.readline()
        mesh.process.send_signal(signal.SIGTERM)
        until(lambda: not (tmp_path / "ready").exists(), "it drains")
        rest = answer.read()
        assert begun.startswith(b"data: ")
        assert rest.rstrip().endswith(b"data: [DONE]")
        connection.close()
        assert mesh.process.wait(30) == 0
    with running(tmp_path) as again:
        rows = json.loads(again.cli("spend", "--project", "default", "--json").stdout)["rows"]
        assert [(int(row["requests"]), int(row["estimated"].get("nanos", 0))) for row in rows] == [(1, 0)]
        assert int(rows[0]["charged"]["nanos"]) > 0


def test_a_worker_that_cannot_start_is_told_with_its_reason(tmp_path: Path) -> None:
    folder = Path(sockets_folder(tmp_path / "data"))
    folder.mkdir(mode=0o700, parents=True)
    (folder / "process-worker-2.sock" / "in the way").mkdir(parents=True)
    env = environment({"LLM_MESH_SIMULATOR_ADDRESS": "127.0.0.1:0", **TWO})
    done = llm_mesh("up", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"), env=env)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("llm-mesh: worker-2 cannot start: cannot listen on ")
    assert "Traceback" not in done.stderr


def test_a_port_that_workers_share_is_theirs_alone(with_workers: RunningMesh, tmp_path: Path) -> None:
    address = with_workers.addresses["http"]
    env = environment({"LLM_MESH_SIMULATOR_ADDRESS": f"127.0.0.1:{free_port()}"})
    for count in ("1", "2"):
        words = ("up", "--workers", count, "--grpc", "127.0.0.1:0", "--http", address, "--data-dir", str(tmp_path / count))
        done = llm_mesh(*words, env=env)
        assert done.returncode == 1
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith(f"llm-mesh: cannot listen on {address} (the edge's HTTP): Address already in use")
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        host, _, port = address.rpartition(":")
        with pytest.raises(OSError, match="in use"):
            stranger.bind((host, int(port)))


@pytest.mark.parametrize(("count", "told"), [("0", "expected at least 1"), ("65", "expected at most 64")])
def test_a_number_of_workers_that_makes_no_sense_is_refused(tmp_path: Path, count: str, told: str) -> None:
    done = llm_mesh("up", "--workers", count, "--data-dir", str(tmp_path / "data"), env=environment())
    assert done.returncode == 1
    assert f"LLM_MESH_WORKERS: {told}" in done.stderr
    assert not (tmp_path / "data").exists()


def test_certificates_for_others_do_not_come_between_the_processes(tmp_path: Path) -> None:
    files = authority(tmp_path)("gateway")
    with running(tmp_path, env={**TWO, **{f"LLM_MESH_{name.upper()}": path for name, path in files.items()}}) as mesh:
        assert ask(mesh) == "hi"
        assert all(json.loads(get(mesh, "/readyz"))["services"].values())
        assert set(re.findall(r'llm_mesh_process_up\{llm_mesh_process="([^"]+)"\} 1', get(mesh, "/metrics"))) == PROCESSES
