"""A service of a mesh that answers is away: the command line names the service, and not the address of the mesh."""

from __future__ import annotations

from typing import Any, cast

import grpc
import pytest

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_cli.unreachable import Aim, explained
from llm_mesh_runtime.errors import RuntimeFault
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.status import trailers


class Files:
    """No mesh was started here."""

    def addresses(self) -> dict[str, str]:
        return {}


class Asked:
    """A session that asked for a service at the one address of a mesh."""

    peer = "catalogue"
    aim = Aim("127.0.0.1:50151", "LLM_MESH_ADDRESS")

    files = Files()


@pytest.mark.parametrize("answered", [True, False])
def test_the_address_is_blamed_only_where_nobody_answers(*, answered: bool) -> None:
    fault = RuntimeFault(errors_pb2.ERROR_REASON_PEER_UNAVAILABLE, "catalogue does not answer", retry_after=1.0, peer="catalogue")
    trailing = grpc.aio.Metadata(*trailers(fault)) if answered else grpc.aio.Metadata()
    raised = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), trailing, details="x")
    error = explained(from_rpc_error(raised, peer="catalogue"), cast("Any", Asked()))
    assert ("its service catalogue does not" in error.message) == answered
    assert ("Correct LLM_MESH_ADDRESS" in error.remedy) != answered
