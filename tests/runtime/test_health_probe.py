"""The probe says what health says: over plain gRPC, with the service's own certificate, and over HTTP."""

import asyncio
import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from llm_mesh_runtime import health_probe
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import NoSettings, host
from tests.contract.certificates import authority
from tests.contract.echo import Echo
from tests.contract.echo import service as echo


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Mapping[str, str]]:
    return authority(tmp_path_factory.mktemp("certificates"))


def probing(monkeypatch: pytest.MonkeyPatch, service: Service, **mesh: str) -> None:
    """The probe, in a container with one service and its settings."""
    for name, value in mesh.items():
        monkeypatch.setenv(f"LLM_MESH_{name.upper()}", value)
    monkeypatch.setattr(health_probe, "installed", lambda: (service.name,))
    monkeypatch.setattr(health_probe, "load", lambda _names: (service,))


async def test_it_finds_the_service_by_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    service = echo(Echo())
    async with host(service, link="grpc") as mesh:
        probing(monkeypatch, service, listen_host=mesh.hosts["echo"].mesh.listen_host)
        assert await asyncio.to_thread(health_probe.main, []) == 0
    assert await asyncio.to_thread(health_probe.main, []) == 1


async def test_with_mutual_tls_it_shows_the_service_s_own_certificate(
    monkeypatch: pytest.MonkeyPatch, certificates: Callable[[str], Mapping[str, str]]
) -> None:
    service = echo(Echo())
    async with host(service, link="tls", tls=certificates) as mesh:
        probing(monkeypatch, service, listen_host=mesh.hosts["echo"].mesh.listen_host)
        assert await asyncio.to_thread(health_probe.main, []) == 1
        probing(monkeypatch, service, **certificates("echo"))
        assert await asyncio.to_thread(health_probe.main, []) == 0


async def test_a_service_whose_store_is_gone_is_not_serving(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def gone() -> None:
        raise OSError

    def build(_settings: object, links: object) -> Servicers:
        made = echo(Echo()).build(_settings, links)  # type: ignore[arg-type]  # as the host calls it
        return Servicers(*made.registrations, ready=gone)

    service = Service("echo", echo(Echo()).contracts, NoSettings, build, port=1)
    async with host(service, link="grpc") as mesh:
        probing(monkeypatch, service, listen_host=mesh.hosts["echo"].mesh.listen_host)
        assert await asyncio.to_thread(health_probe.main, []) == 1
    assert "NOT_SERVING" in capsys.readouterr().err


@pytest.fixture(params=[200, 503])
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", request.param
        server.shutdown()
        thread.join()


def test_a_service_without_a_contract_is_asked_over_http(answering: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    address, status = answering
    edge = Service("edge", (), NoSettings, lambda _settings, _links: Servicers())
    probing(monkeypatch, edge, http=address.replace("127.0.0.1", "0.0.0.0"))  # noqa: S104 - an address to ask, not to bind
    assert health_probe.main([]) == (0 if status == 200 else 1)
    assert health_probe.main([f"http://{address}/nothing"]) == 1


def test_with_several_services_it_asks_which(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(health_probe, "installed", lambda: ("policy", "router"))
    assert health_probe.main([]) == 1
    assert "which address" in capsys.readouterr().err


def test_nobody_there_is_not_serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probing(monkeypatch, echo(Echo()), listen_host=f"unix:{tmp_path}")
    assert health_probe.main([]) == 1
