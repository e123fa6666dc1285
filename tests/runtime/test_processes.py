"""What lets several processes be one mesh: private sockets, a shared port, health that knows the others."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from llm_mesh.mesh.v1 import process_pb2
from llm_mesh.mesh.v1.process_pb2_grpc import ProcessServiceStub
from llm_mesh_runtime.access.tokens import HEADER, ServiceTokens
from llm_mesh_runtime.health import Health
from llm_mesh_runtime.host import StartError
from llm_mesh_runtime.host.sockets import link_to, prepared, private, socket_of, sockets_folder
from llm_mesh_runtime.http.listener import bound, reserved
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.testing import FakePolicy, host

SERVING = health_pb2.HealthCheckResponse.SERVING
SECRET = b"a secret of tests, at least 32 bytes"


def test_sockets_are_in_the_data_directory_unless_that_is_too_deep(tmp_path: Path) -> None:
    shallow, deep = Path("/srv/mesh"), tmp_path / ("d" * 60) / ("e" * 60)
    assert sockets_folder(shallow) == "/srv/mesh/run"
    folder = sockets_folder(deep)
    assert len(str(socket_of(folder, "process/worker-64"))) < 104
    assert folder == sockets_folder(deep)
    assert folder != sockets_folder(deep / "other")
    assert link_to(folder, "adapter/openai") == f"mux+{private(folder)}adapter-openai.sock"


def test_a_folder_of_sockets_that_is_not_ours_alone_is_refused(tmp_path: Path) -> None:
    fresh, open_to_all, link = tmp_path / "run", tmp_path / "open", tmp_path / "link"
    prepared(str(fresh))
    prepared(str(fresh))
    assert fresh.stat().st_mode & 0o777 == 0o700
    open_to_all.mkdir()
    open_to_all.chmod(0o755)
    link.symlink_to(fresh)
    for path in (open_to_all, link):
        with pytest.raises(StartError, match="is not ours alone"):
            prepared(str(path))


def test_a_reserved_port_is_for_those_who_share_it() -> None:
    kept, address = reserved("127.0.0.1:0")
    with kept, bound(address, shared=True) as one, bound(address, shared=True):
        with pytest.raises(StartError, match="in use"):
            bound(address)
        with pytest.raises(StartError, match="in use"):
            reserved(address)
        with socket.create_connection(one.getsockname(), timeout=5):
            pass  # the reservation itself takes no connection: one of the two that listen does


def test_a_reservation_alone_keeps_others_out() -> None:
    kept, address = reserved("127.0.0.1:0")
    host_name, _, port = address.rpartition(":")
    with kept, socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind((host_name, int(port)))


async def test_other_processes_are_listed_and_never_take_this_one_out() -> None:
    health = Health()
    health.add("policy", ["llm_mesh.policy.v1.PolicyService"])

    async def ready() -> None:
        return

    await health.poll("policy", ready)
    health.tell("process/worker-1", serving=False)
    states = (await health.List(None, SimpleNamespace(set_trailing_metadata=lambda _: None))).statuses
    assert states["process/worker-1"].status != SERVING
    assert states[""].status == SERVING
    assert health.states() == {"policy": True}
    watched = health.Watch(health_pb2.HealthCheckRequest(service="process/worker-1"), None)
    assert (await anext(watched)).status != SERVING
    health.tell("process/worker-1", serving=True)
    async with asyncio.timeout(5):
        assert (await anext(watched)).status == SERVING
    assert health.serving()


async def test_only_services_of_the_mesh_are_told_how_a_process_is(tmp_path: Path) -> None:
    folder = str(tmp_path / "run")
    async with host(FakePolicy().service(), process="main", sockets=folder) as mesh:
        async with grpc.aio.insecure_channel(f"{private(folder)}process-main.sock") as channel:
            stub = ProcessServiceStub(channel)

            async def report(*metadata: tuple[str, str]) -> process_pb2.ReportResponse:
                return await stub.Report(process_pb2.ReportRequest(metrics=True), metadata=metadata, timeout=5)

            for metadata in (
                (),
                (("authorization", "Bearer mk_ana"),),
                ((HEADER, ServiceTokens(SECRET).token("gateway", "process/main")),),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as raised:
                    await report(*metadata)
                assert raised.value.code() is grpc.StatusCode.PERMISSION_DENIED
                assert from_rpc_error(raised.value).reason_name in {"MESH_ONLY", "CALLER_NOT_ALLOWED"}
            told = await report((HEADER, ServiceTokens(SECRET).token("edge", "process/main")))
            assert told.process == "main"
            assert told.services == {"policy": True, "process/main": True}
            assert b"rpc_server_call_duration_seconds" in told.metrics
        public = mesh.application("policy", key="mk_ana")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await ProcessServiceStub(public).Report(process_pb2.ReportRequest(), timeout=5)
        assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
        listed = await health_pb2_grpc.HealthStub(public).List(health_pb2.HealthListRequest(), timeout=5)
        assert "process/main" in listed.statuses
