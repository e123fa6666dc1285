"""Asks the service of this machine how it is: the health check of containers, and of whoever has no gRPC at hand.

`python -m llm_mesh_runtime.health_probe` asks the one service that is installed, at the address that its settings give, with its
own certificate where there is mutual TLS. `… ADDRESS` asks another one: `127.0.0.1:50054` by gRPC, `http://127.0.0.1:8080/readyz`
by HTTP. Where the HTTP listener speaks TLS, its certificate must be the one of the settings; the probe shows the same one to a listener
that wants one of its clients. The exit code says it: 0 serves, 1 does not.
"""

from __future__ import annotations

import asyncio
import http.client
import ssl
import sys
from collections.abc import Sequence
from typing import cast
from urllib.parse import urlsplit

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from llm_mesh_runtime.host.discovery import installed, load
from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.links.remote import RemoteChannel
from llm_mesh_runtime.links.tls import Tls
from llm_mesh_runtime.settings import MeshSettings, SettingsError, load_mesh
from llm_mesh_runtime.start_error import StartError

_TIMEOUT = 3.0
_ANY = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}  # noqa: S104 - nothing is bound here


def main(arguments: Sequence[str]) -> int:
    """Probe once."""
    try:
        mesh = load_mesh()
        name, address = _aim(mesh, arguments)
        state = _by_http(address, mesh) if address.startswith(("http://", "https://")) else asyncio.run(_by_grpc(name, address, mesh))
    except (OSError, StartError, SettingsError, http.client.HTTPException) as error:
        state = str(error) or type(error).__name__
    if state:
        sys.stderr.write(f"not serving: {state}\n")
    return 1 if state else 0


def _aim(mesh: MeshSettings, arguments: Sequence[str]) -> tuple[str, str]:
    """Which service, and where it listens."""
    names = installed()
    name = names[0] if len(names) == 1 else ""
    if arguments:
        return name, arguments[0]
    if not name:
        raise StartError(f"say which address: {len(names)} services are installed here")
    service = load([name])[0]
    if not service.contracts:
        return name, f"{'https' if mesh.http_tls_certificate else 'http'}://{_reachable(mesh.http)}/readyz"
    if mesh.listen_host.startswith("unix:"):
        return name, f"{mesh.listen_host}/{name.replace('/', '-')}.sock"
    return name, _reachable(f"{mesh.listen_host}:{mesh.port_of(name, service.port)}")


def _reachable(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"{_ANY.get(host, host)}:{port}"


def _by_http(url: str, mesh: MeshSettings) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(parts.netloc, timeout=_TIMEOUT, context=_own(mesh))
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT)
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        return "" if answer.status == http.HTTPStatus.OK else f"{url} answers {answer.status}"
    finally:
        connection.close()


def _own(mesh: MeshSettings) -> ssl.SSLContext:
    """Takes the settings' own certificate, or another of its chain's issuer, by whatever name this machine is asked.

    It shows that certificate too. Where clients must show one, `http_tls_client_ca` has to know its issuer, or the probe fails.
    """
    context = ssl.create_default_context(cafile=mesh.http_tls_certificate or None)
    if mesh.http_tls_certificate:
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_cert_chain(mesh.http_tls_certificate, mesh.http_tls_key)
    return context


async def _by_grpc(name: str, address: str, mesh: MeshSettings) -> str:
    tls = Tls.read(mesh.tls_certificate, mesh.tls_key, mesh.tls_ca)
    target = address if address.startswith("unix:") else f"dns:///{address}"
    channel = RemoteChannel(name, target, Outbound("probe"), tls)
    try:
        stub = health_pb2_grpc.HealthStub(cast("grpc.aio.Channel", channel))
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=_TIMEOUT)
    except grpc.aio.AioRpcError as error:
        return f"{address}: {error.code().name}"
    else:
        serving = health_pb2.HealthCheckResponse.SERVING
        return "" if answer.status == serving else f"{address}: {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}"
    finally:
        await channel.close()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
