"""`llm-mesh feedback`: how good answers were, in the words of those who read them."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.nouns.names import reservation_name
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import time_text

app = typer.Typer(no_args_is_help=True, help="Say how good an answer was, and list what was said.")
Request = Annotated[
    str,
    typer.Argument(metavar="RESERVATION", help="`claims/triage/RESERVATION`, or a resource name, as in a receipt."),
]


@asks(app, "create", aliases=("add",))
async def create(
    session: Session,
    request: Request,
    score: Annotated[float, typer.Option(min=-1, max=1, help="From -1, bad, to 1, good.")],
    aspect: Annotated[str, typer.Option(help="What is judged, such as `helpful`. Default: the whole.")] = "",
    comment: Annotated[str, typer.Option(help="A remark.")] = "",
) -> None:
    """Say how good an answer was."""
    feedback = observability_pb2.Feedback(score=score, aspect=aspect, comment=comment)
    parent = await reservation_name(session, request)
    answer = await _stub(session).CreateFeedback(observability_pb2.CreateFeedbackRequest(parent=parent, feedback=feedback), timeout=30)
    if session.output.as_json:
        session.output.message(answer.feedback)
    session.output.line(f"{answer.feedback.name} is created")


@asks(app, "list")
async def list_feedback(session: Session, request: Request) -> None:
    """List what was said of a request, oldest first."""
    listing = pages(_stub(session).ListFeedback, observability_pb2.ListFeedbackRequest(parent=await reservation_name(session, request)))
    listed = [one async for answer in listing for one in answer.feedback]
    rows = [(time_text(one.create_time), f"{one.score:+g}", one.aspect, one.principal, one.comment) for one in listed]
    session.output.table(("TIME", "SCORE", "ASPECT", "WHO", "COMMENT"), rows, listed)


def _stub(session: Session) -> observability_pb2_grpc.ObservabilityServiceStub:
    return observability_pb2_grpc.ObservabilityServiceStub(session.channel("observability"))
