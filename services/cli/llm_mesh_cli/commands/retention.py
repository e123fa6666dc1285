"""`llm-mesh retention`: how long projects store responses and conversations, and their erasure."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_mesh.conversations.v1 import retention_pb2, retention_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.existing import existing
from llm_mesh_cli.nouns.names import resource_name
from llm_mesh_cli.session import Session

app = typer.Typer(no_args_is_help=True, help="See and set how long a project stores responses and conversations, and erase them.")
Project = Annotated[str, typer.Argument(metavar="PROJECT", help="`claims/triage`, or a resource name.")]


@asks(app)
async def show(session: Session, project: Project) -> None:
    """Show how long a project stores content."""
    request = retention_pb2.GetRetentionRequest(project=await _existing(session, project))
    _tell(session, (await _stub(session).GetRetention(request, timeout=30)).retention)


@asks(app, "update", aliases=("set",))
async def update(
    session: Session,
    project: Project,
    days: Annotated[int | None, typer.Option(min=0, max=3650, help="Days; 0: nothing is stored. Left out: the operator's default.")] = None,
) -> None:
    """Set how long a project stores content, and delete what is older."""
    request = retention_pb2.UpdateRetentionRequest(project=await _existing(session, project), days=days)
    _tell(session, (await _stub(session).UpdateRetention(request, timeout=30)).retention)


@asks(app)
async def erase(
    session: Session,
    project: Project,
    principal: Annotated[str, typer.Option(help="What this principal created: a resource name.")] = "",
    end_user: Annotated[str, typer.Option(help="What was created for this end user, by the id that applications send.")] = "",
    everything: Annotated[bool, typer.Option("--everything", help="All content of the project.")] = False,
) -> None:
    """Erase stored responses and conversations, so that nobody can read them again."""
    if sum(map(bool, (principal, end_user, everything))) != 1:
        raise typer.BadParameter("say whose content: one of --principal, --end-user and --everything")
    request = retention_pb2.EraseContentRequest(project=await _existing(session, project))
    if principal:
        request.principal = principal
    elif end_user:
        request.end_user = end_user
    else:
        request.everything = True
    answer = await _stub(session).EraseContent(request, timeout=600)
    if session.output.as_json:
        session.output.message(answer)
    session.output.line(f"{answer.responses} responses and {answer.conversations} conversations are erased")


async def _existing(session: Session, project: str) -> str:
    """The project's name: a mistyped one would look like one that has no content."""
    return await existing(session, await resource_name(session, "projects", project))


def _tell(session: Session, retention: retention_pb2.Retention) -> None:
    if session.output.as_json:
        session.output.message(retention)
    default = ", the operator's default" if retention.by_default else ""
    session.output.line(f"{retention.project} stores content for {retention.days} days{default}")


def _stub(session: Session) -> retention_pb2_grpc.RetentionServiceStub:
    return retention_pb2_grpc.RetentionServiceStub(session.channel("conversations"))
