"""`llm-mesh projections`: what `spend` and `tail` are shown from, built anew from the ledger."""

from __future__ import annotations

import typer

from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.session import Session

app = typer.Typer(no_args_is_help=True, help="Build anew what `spend` and `tail` are shown from.")


@app.callback()
def group() -> None:
    """Takes no options of its own."""


@asks(app)
async def rebuild(session: Session) -> None:
    """Throw the projection of the ledger away and build it anew. Feedback stays."""
    stub = observability_pb2_grpc.ObservabilityServiceStub(session.channel("observability"))
    answer = await stub.Rebuild(observability_pb2.RebuildRequest(), timeout=30)
    if session.output.as_json:
        session.output.message(answer)
    session.output.line(
        f"the rebuild has begun; it is done once `spend --domain - --json` has a throughSequence of {answer.target_sequence}"
    )
