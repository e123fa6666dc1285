"""`llm-mesh bootstrap`: the first administrator of a mesh of separate services."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.files import EmptyKeyError, check_free
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.session import Session
from llm_mesh_cli.waiting import Wait, once_available

app = typer.Typer()


@asks(app, who="nobody")
async def bootstrap(
    session: Session,
    token: Annotated[
        str, typer.Option(help="The one-time token (`mb_…`) that policy was started with.", envvar="LLM_MESH_BOOTSTRAP_TOKEN")
    ],
    administrator: Annotated[str, typer.Option(help="Id of the administrator to make in domains/platform.")] = "admin",
    save: Annotated[Path | None, typer.Option(help="Where to keep the key. Default: admin.key in the data directory.")] = None,
    wait: Wait = 0,
) -> None:
    """Make the first administrator with the one-time token; keep the key in a file that only you can read."""
    file = save or session.files.admin_key
    check_free(file)
    if not token.strip():
        raise EmptyKeyError("--token is empty: give the one-time token that policy was started with (its LLM_MESH_POLICY_BOOTSTRAP_TOKEN)")
    stub = identity_pb2_grpc.IdentityServiceStub(session.channel("policy"))
    request = identity_pb2.BootstrapRequest(principal_id=administrator)
    credential = (("authorization", f"Bearer {token}"),)
    answer = await once_available(lambda: stub.Bootstrap(request, metadata=credential, timeout=30), wait)
    session.files.keep_key(file, answer.secret)
    if session.output.as_json:
        session.output.data({"key": as_dict(answer.key), "file": str(file)})
    session.output.line(f"{answer.key.principal} may do everything; the key is in {file}")
