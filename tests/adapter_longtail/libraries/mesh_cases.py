"""A mesh with a link to each of the two services, which run from their own environments: only `make longtail` runs this."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from openai import OpenAI

from llm_mesh.services import OPTIONAL
from tests.adapter_kit.test_adapters_at_the_simulator import TEXT
from tests.architecture.repository import ROOT
from tests.e2e.running import environment, running

PORTS = {each.name.removeprefix("adapter/"): each.port for each in OPTIONAL}


@pytest.mark.parametrize("name", PORTS)
def test_a_running_mesh_answers_through_the_service_and_charges_for_it(name: str, tmp_path: Path) -> None:
    """The service alone, by the Python of its own environment, beside a mesh that has a link to it."""
    secret, host = "mesh-secret-of-a-test-0123456789abcdef", f"127.0.5.{1 + list(PORTS).index(name)}"
    with running(
        tmp_path, env={"LLM_MESH_SECRET": secret, f"LLM_MESH_LINK_ADAPTER_{name.upper()}": f"dns:///{host}:{PORTS[name]}"}
    ) as mesh:
        endpoint = json.dumps({"library": "openai", "base_url": f"{mesh.simulator}/v1", "local": True})
        with served(name, host, {"LLM_MESH_SECRET": secret, f"LLM_MESH_ADAPTER_{name.upper()}_ENDPOINT_FAR": endpoint}, tmp_path):
            words = ["models", "create", "far", "--domain", "shared", "--adapter", name, "--endpoint", "far", "--upstream", "sim-echo"]
            words += ["--capability", "generate", "--capability", "streaming", "--context-window", "8000", "--max-output-tokens", "1000"]
            made = mesh.cli(*words, "--price", "{input: 1, output: 2, source: test}")
            assert made.returncode == 0, made.stderr
            client = OpenAI(base_url=mesh.base_url, api_key=mesh.project_key, max_retries=0)
            asked: Any = [{"role": "user", "content": TEXT}]
            with client:
                whole = client.chat.completions.with_raw_response.create(model="far", messages=asked)
                pieces = [
                    chunk.choices[0].delta.content or ""
                    for chunk in client.chat.completions.create(model="far", messages=asked, stream=True)
                    if chunk.choices
                ]
            answer = whole.parse()
            assert answer.choices[0].message.content == "".join(pieces) == TEXT
            assert answer.usage is not None
            charge = Decimal(answer.usage.prompt_tokens + 2 * answer.usage.completion_tokens) / 1_000_000
            assert Decimal(whole.headers["x-llm-mesh-cost"]) == charge > 0


@contextmanager
def served(name: str, host: str, settings: Mapping[str, str], folder: Path) -> Iterator[None]:
    """The service in a process of its own, once its library is loaded."""
    own = {"LLM_MESH_LISTEN_HOST": host, "LLM_MESH_LINK_POLICY": f"dns:///{host}:1", "LLM_MESH_DATA_DIR": str(folder / name)}
    command = [str(ROOT / f".venv-{name}" / "bin/python"), "-m", f"llm_mesh_adapter_{name}"]
    with (
        (folder / "service.log").open("w") as log,
        subprocess.Popen(command, env=environment({**own, **settings}), stdout=log, stderr=log) as process,
    ):
        try:
            with grpc.insecure_channel(f"{host}:{PORTS[name]}") as channel:
                health = health_pb2_grpc.HealthStub(channel)
                deadline = time.monotonic() + 90
                while not _serves(health):
                    assert process.poll() is None, (folder / "service.log").read_text()
                    assert time.monotonic() < deadline, (folder / "service.log").read_text()
                    time.sleep(0.2)  # readiness of another process has no event
            yield
        finally:
            process.terminate()
            assert process.wait(20) == 0


def _serves(health: health_pb2_grpc.HealthStub) -> bool:
    try:
        return bool(health.Check(health_pb2.HealthCheckRequest(), timeout=3).status == health_pb2.HealthCheckResponse.SERVING)
    except grpc.RpcError:
        return False
