"""The edge over HTTPS, as clients with the authority find it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from llm_mesh_edge.settings import Settings
from llm_mesh_edge.wiring import service
from llm_mesh_runtime import health_probe
from llm_mesh_runtime.testing import host
from tests.contract.certificates import authority
from tests.edge.fakes import FakeGateway

GOOD = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hello"}]}
NAME = "edge.llm-mesh"


async def test_an_application_and_the_health_check_reach_the_edge_over_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = authority(tmp_path)("edge")
    tls: dict[str, Any] = {"http_tls_certificate": files["tls_certificate"], "http_tls_key": files["tls_key"]}
    trusting = ssl.create_default_context(cafile=files["tls_ca"])
    metrics = {"edge": Settings(metrics_address="localhost:0")}
    async with host(FakeGateway().service(), service, settings=metrics, **tls) as mesh, aiohttp.ClientSession() as session:
        secured, plain = (each.address for each in mesh.hosts["edge"].http)
        key = {"authorization": "Bearer mk_ana"}
        url = f"https://{secured}/v1/chat/completions"
        async with session.post(url, json=GOOD, headers=key, ssl=trusting, server_hostname=NAME) as answer:
            assert answer.status == 200
            assert (await answer.json())["choices"][0]["message"]["content"] == "hello world"
        async with session.get(f"http://{plain}/metrics") as answer:
            assert answer.status == 200, "another listener has no certificate for its address"
        for setting, value in tls.items():
            monkeypatch.setenv(f"LLM_MESH_{setting.upper()}", value)
        monkeypatch.setattr(health_probe, "installed", lambda: ("edge",))
        assert await asyncio.to_thread(health_probe.main, [f"https://{secured}/healthz"]) == 0
        monkeypatch.delenv("LLM_MESH_HTTP_TLS_CERTIFICATE")
        monkeypatch.delenv("LLM_MESH_HTTP_TLS_KEY")
        assert await asyncio.to_thread(health_probe.main, [f"https://{secured}/healthz"]) == 1, "it is nobody's that this machine trusts"
