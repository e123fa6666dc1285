"""`llm-mesh keys`: virtual keys of projects. A secret is shown once, and never again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.existing import check_principal
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.files import check_free
from llm_mesh_cli.name_checks import FORCE, check_models
from llm_mesh_cli.nouns.calls import Calls
from llm_mesh_cli.nouns.names import resource_name
from llm_mesh_cli.nouns.noun import Noun
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import duration, moment, time_text

app = typer.Typer(no_args_is_help=True, help="Make, show, list, rotate and revoke keys.")
KEYS = Noun("key", "keys", "Key", service="policy", stub=identity_pb2_grpc.IdentityServiceStub, messages=identity_pb2, columns=())
Project = Annotated[str | None, typer.Option("--project", help="`triage`, `claims/triage` or a resource name. Default: the caller's own.")]
Name = Annotated[str, typer.Argument(help="The key's id within the project, `claims/triage/ID`, or its resource name.")]
Save = Annotated[Path | None, typer.Option("--save", help="Write the secret to this file (mode 0600) instead of showing it.")]


@asks(app, "create")
async def create(
    session: Session,
    project: Project = None,
    principal: Annotated[str, typer.Option(help="Whom it speaks for: `ana`, `claims/ana` or a resource name.")] = "application",
    name: Annotated[str, typer.Option(help="A name for people.")] = "",
    models: Annotated[
        list[str] | None, typer.Option("--model", help="A model that it may use; repeatable. Default: the project's.")
    ] = None,
    expires: Annotated[str | None, typer.Option(help="When it ends: `30d`, `12h`, or a time such as 2027-01-01T00:00:00Z.")] = None,
    save: Save = None,
    force: FORCE = False,
) -> None:
    """Make a key; its secret is shown this once."""
    if save is not None:
        check_free(save)
    parent = await session.place(project)
    await check_models(session, parent.partition("/projects/")[0], models or (), force=force)
    holder = await resource_name(session, "principals", principal, parent.partition("/projects/")[0])
    await check_principal(session, holder)
    key = identity_pb2.Key(principal=holder, display_name=name, allowed_models=models or [])
    if expires:
        key.expire_time.FromDatetime(moment(expires))
    answer = await _identity(session).CreateKey(identity_pb2.CreateKeyRequest(parent=parent, key=key))
    _show(session, answer.key, answer.secret, save)


@asks(app, "list")
async def list_keys(
    session: Session,
    project: Project = None,
    domain: Annotated[str | None, typer.Option("--domain", help="All projects of a domain: `claims`. Not with --project.")] = None,
) -> None:
    """List the keys of a project, or of all projects of a domain, newest first."""
    if project is not None and domain is not None:
        raise CommandError("--project and --domain exclude each other: a project of another domain is `claims/triage`", Exit.USAGE)
    parent = f"{await session.domain(domain)}/projects/-" if domain is not None else await session.place(project)
    keys = await Calls(session, KEYS).listed(parent)
    rows = [
        (
            _within(key.name, parent),
            key.hint,
            key.display_name,
            key.principal.rpartition("/")[2],
            _state(key),
            time_text(key.create_time),
        )
        for key in keys
    ]
    session.output.table(("KEY", "BEGINS", "NAME", "PRINCIPAL", "STATE", "CREATED"), rows, keys)


@asks(app)
async def show(session: Session, name: Name, project: Project = None) -> None:
    """Show a key, without its secret."""
    session.output.resource(await Calls(session, KEYS).one(await _key_name(session, name, project)))


@asks(app, "rotate")
async def rotate(
    session: Session,
    name: Name,
    project: Project = None,
    grace: Annotated[str, typer.Option(help="How long the old secret holds, such as `24h`, `30m` or `0`.")] = "24h",
    save: Save = None,
) -> None:
    """Give a key a new secret; the old one holds for the grace."""
    if save is not None:
        check_free(save)
    request = identity_pb2.RotateKeyRequest(name=await _key_name(session, name, project))
    request.grace.FromTimedelta(duration(grace) if grace != "0" else timedelta())
    answer = await _identity(session).RotateKey(request)
    _show(session, answer.key, answer.secret, save)


@asks(app, "revoke")
async def revoke(session: Session, name: Name, project: Project = None) -> None:
    """Revoke a key for good, at once."""
    answer = await _identity(session).RevokeKey(identity_pb2.RevokeKeyRequest(name=await _key_name(session, name, project)))
    if session.output.as_json:
        session.output.message(answer)
    session.output.line(f"{answer.key.name} is revoked")


def _identity(session: Session) -> identity_pb2_grpc.IdentityServiceStub:
    return identity_pb2_grpc.IdentityServiceStub(session.channel("policy"))


async def _key_name(session: Session, name: str, project: str | None) -> str:
    """`KEY` of --project, `claims/triage/KEY`, or a resource name."""
    if name.startswith("domains/"):
        return name
    owner, _, identity = name.rpartition("/")
    return f"{await session.place(owner or project)}/keys/{identity}"


def _within(name: str, parent: str) -> str:
    """A key as its list tells it: of a project by its id, of a domain as `claims/triage/KEY`."""
    return (
        name.removeprefix("domains/").replace("/projects/", "/").replace("/keys/", "/")
        if parent.endswith("/-")
        else name.rpartition("/")[2]
    )


def _show(session: Session, key: identity_pb2.Key, secret: str, save: Path | None) -> None:
    if save is not None:
        session.files.keep_key(save, secret)
    if session.output.as_json:
        session.output.data({"key": as_dict(key)} | ({"file": str(save)} if save else {"secret": secret}))
        return
    session.output.line(f"{key.name}\n{f'secret written to {save}' if save else secret}")


def _state(key: identity_pb2.Key) -> str:
    if key.HasField("revoke_time"):
        return "revoked"
    if key.HasField("expire_time"):
        return f"until {time_text(key.expire_time)}"
    return "in rotation" if key.HasField("previous_expire_time") else "valid"
