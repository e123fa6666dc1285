"""Certificates that end, clocks that differ, disks that fill, instances behind one name: found, and told with what to do."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_cli import surroundings
from llm_mesh_cli.certificates import CertificateError, first_end, served
from llm_mesh_cli.instances import instances
from llm_mesh_cli.output import Output
from llm_mesh_cli.session import Access, Session
from llm_mesh_runtime.health import TIME
from tests.e2e.running import RunningMesh

KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
ENDS = st.integers(-599_000_000, 7_000_000_000).map(lambda seconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
"""From 1951 to 2191: from 2050 on, certificates write years otherwise."""


def pem(end: datetime) -> bytes:
    built = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(KEY.public_key()).serial_number(4711)
    made = built.not_valid_before(end - timedelta(days=1)).not_valid_after(end).sign(KEY, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


@given(st.lists(ENDS, min_size=1, max_size=3))
def test_the_end_of_a_file_is_the_first_of_its_certificates_ends(ends: list[datetime]) -> None:
    assert first_end(b"text before\n" + b"".join(map(pem, ends))) == min(ends)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_what_is_no_certificate_is_an_error_and_no_date(noise: bytes, cut: int) -> None:
    whole = ssl.PEM_cert_to_DER_cert(pem(datetime(2030, 1, 1, tzinfo=UTC)).decode())
    with pytest.raises(CertificateError):
        first_end(ssl.DER_cert_to_PEM_cert(whole[: cut % 100]).encode() if cut else noise)


def test_a_listener_whose_certificate_has_expired_still_shows_when(tmp_path: Path) -> None:
    end = datetime(2020, 5, 17, 12, tzinfo=UTC)
    file = tmp_path / "both.pem"
    private = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + pem(end))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            accepted, _ = listener.accept()
            with context.wrap_socket(accepted, server_side=True) as secured:
                secured.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        assert served(f"127.0.0.1:{listener.getsockname()[1]}") == end
        thread.join()


@pytest.mark.parametrize(("days", "state", "text"), [(-1, "fail", "has expired"), (3, "warn", "expires in"), (90, "ok", "is valid until")])
def test_certificates_are_told_before_and_after_they_end(cli_mesh: RunningMesh, tmp_path: Path, days: int, state: str, text: str) -> None:
    names = {"LLM_MESH_TLS_CA": "ca.pem", "LLM_MESH_HTTP_TLS_CERTIFICATE": "http.pem", "LLM_MESH_HTTP_TLS_CLIENT_CA": "clients.pem"}
    files = {name: str(tmp_path / file) for name, file in names.items()}
    for file in files.values():
        Path(file).write_bytes(pem(datetime.now(UTC) + timedelta(days=days, hours=1)))
    env = files | {"LLM_MESH_HTTP_TLS_KEY": str(tmp_path / "key.pem")}
    findings = json.loads(cli_mesh.cli("doctor", "--json", "--no-ask-providers", env=env).stdout)
    for file in files.values():
        (found,) = [each for each in findings if each["what"] == "certificates" and file in each["value"]]
        assert (found["state"], text in found["value"]) == (state, True)


class Skewed(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # grpcio-health-checking has no types
    """Health of a machine whose clock is wrong."""

    def __init__(self, ahead: float) -> None:
        self._ahead = ahead

    async def List(self, request: Any, context: Any) -> Any:
        del request
        context.set_trailing_metadata(((TIME, f"{time.time() + self._ahead:.3f}"),))
        return health_pb2.HealthListResponse()


@pytest.mark.parametrize(("ahead", "state", "text"), [(0, "ok", "agree"), (60, "warn", "ahead of"), (-60, "warn", "behind")])
async def test_a_clock_that_differs_is_told_with_its_direction(
    ahead: float, state: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(Skewed(ahead), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    monkeypatch.setenv("LLM_MESH_ADDRESS", f"127.0.0.1:{port}")
    session = Session(Access(), Output(as_json=True), "nobody")
    (found,) = await surroundings.clocks(session)
    await session.close()
    await server.stop(0)
    assert (found.state, text in found.value) == (state, True)


@pytest.mark.parametrize(("free", "state"), [(50 * 1024**2, "fail"), (500 * 1024**2, "warn"), (50 * 1024**3, "ok")])
def test_a_disk_that_fills_is_told(free: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=100 * 1024**3, free=free))
    assert next(surroundings.disk(tmp_path / "not" / "there")).state == state


async def test_each_instance_behind_a_name_is_one_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(*places: tuple[int, tuple[Any, ...]]) -> None:
        async def found(*_: object, **__: object) -> list[Any]:
            return [(family, socket.SOCK_STREAM, 6, "", place) for family, place in places]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found, raising=False)

    v4, v6 = socket.AF_INET, socket.AF_INET6
    known((v4, ("10.0.0.2", 1)), (v4, ("10.0.0.1", 1)))
    assert await instances("policy:1") == ["10.0.0.1:1", "10.0.0.2:1"]
    known((v6, ("::1", 1, 0, 0)), (v4, ("127.0.0.1", 1)))
    assert await instances("localhost:1") == ["localhost:1"]
    known((v6, ("fd00::1", 1, 0, 0)), (v6, ("fd00::2", 1, 0, 0)), (v4, ("10.0.0.1", 1)))
    assert await instances("dns:///policy:1") == ["[fd00::1]:1", "[fd00::2]:1"]
    assert await instances("127.0.0.1:1") == ["127.0.0.1:1"]
    assert await instances("unix:/run/x.sock") == ["unix:/run/x.sock"]
