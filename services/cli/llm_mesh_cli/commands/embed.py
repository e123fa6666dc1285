"""`llm-mesh embed`: the vectors of texts, through the gateway, as any application would get them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_cli.callable_models import suggesting
from llm_mesh_cli.command import asks
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import amount

app = typer.Typer()
_SHOWN = 4


@asks(app, who="project")
async def embed(
    session: Session,
    text: Annotated[list[str] | None, typer.Argument(help="Texts to embed; none or `-` reads standard input, one text a line.")] = None,
    model: Annotated[str, typer.Option("-m", "--model", help="The model's alias.")] = "sim-embed",
    dimensions: Annotated[int, typer.Option(min=0, help="Length of the vectors. 0: the model's own.")] = 0,
) -> None:
    """Embed texts; --json has the whole vectors."""
    texts = text if text and text != ["-"] else [line for line in sys.stdin.read().splitlines() if line]
    items = [embed_pb2.EmbedItem(text=each) for each in texts]
    request = gateway_pb2.EmbedRequest(input=embed_pb2.EmbedInput(model=model, items=items, dimensions=dimensions))
    stub = gateway_pb2_grpc.GatewayServiceStub(session.channel("gateway"))
    async with suggesting(session, stub, model, "embeddings"):
        answer = await stub.Embed(request, timeout=600)
    if session.output.as_json:
        session.output.message(answer)
        return
    for one in answer.output.embeddings:
        begin = ", ".join(f"{value:g}" for value in one.values[:_SHOWN])
        session.output.line(f"{one.index}: {len(one.values)} values: {begin}, …")
    session.output.note(f"{answer.receipt.model.rpartition('/')[2]}: {amount(answer.receipt.charged)}")
