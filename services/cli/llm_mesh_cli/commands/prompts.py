"""`llm-mesh prompts`: prompts of the catalogue, their versions and labels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from llm_mesh.catalogue.v1 import catalogue_pb2, catalogue_pb2_grpc
from llm_mesh.inference.v1 import content_pb2
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.nouns.calls import Calls
from llm_mesh_cli.nouns.changing import checked
from llm_mesh_cli.nouns.names import resource_name
from llm_mesh_cli.nouns.noun import Noun
from llm_mesh_cli.nouns.verbs import done
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session
from llm_mesh_cli.templates import newest_messages, replaced
from llm_mesh_cli.texts import time_text
from llm_mesh_cli.variables import Variables, variables_json

app = typer.Typer(no_args_is_help=True, help="Show, create, push, label, compare and render prompts.")
Domain = Annotated[str | None, typer.Option("--domain", help="The domain. Default: the caller's own.")]
Name = Annotated[str, typer.Argument(help="`summary`, `claims/summary` or a resource name.")]
PROMPTS = Noun(
    "prompt", "prompts", "Prompt", service="catalogue", stub=catalogue_pb2_grpc.CatalogueServiceStub, messages=catalogue_pb2, columns=()
)


@asks(app, "list")
async def list_prompts(session: Session, domain: Domain = None) -> None:
    """List the prompts of a domain."""
    prompts = await Calls(session, PROMPTS).listed(await session.domain(domain))
    rows = [(prompt.name.rpartition("/")[2], str(prompt.latest_version or ""), _labels(prompt), prompt.description) for prompt in prompts]
    session.output.table(("PROMPT", "NEWEST", "LABELS", "DESCRIPTION"), rows, prompts)


@asks(app)
async def show(
    session: Session, name: Name, version: Annotated[str, typer.Option(help="A number or a label.")] = "latest", domain: Domain = None
) -> None:
    """Show a version of a prompt."""
    full = await _name(session, name, domain)
    stub = _catalogue(session)
    prompt = await Calls(session, PROMPTS).one(full)
    if not prompt.latest_version:
        raise CommandError(f"{full} has no version yet; push one", Exit.NOT_FOUND)
    shown = (await stub.GetVersion(catalogue_pb2.GetVersionRequest(name=f"{full}/versions/{version}"))).version
    if session.output.as_json:
        session.output.data({"prompt": as_dict(prompt), "version": as_dict(shown)})
        return
    session.output.line(f"{full}  version {shown.number} of {prompt.latest_version}, {time_text(shown.create_time)}  {_labels(prompt)}")
    for message in shown.messages:
        session.output.line(f"\n[{_role(message.role)}]\n{message.template}")
    if shown.variables_schema_json:
        session.output.line(f"\n[variables]\n{shown.variables_schema_json}")


@asks(app)
async def versions(session: Session, name: Name, domain: Domain = None) -> None:
    """List the versions of a prompt, and what changed."""
    request = catalogue_pb2.ListVersionsRequest(parent=(await Calls(session, PROMPTS).one(await _name(session, name, domain))).name)
    listed = [version async for answer in pages(_catalogue(session).ListVersions, request) for version in answer.versions]
    rows = [(str(version.number), time_text(version.create_time), version.creator.rpartition("/")[2], version.note) for version in listed]
    session.output.table(("VERSION", "CREATED", "BY", "NOTE"), rows, listed)


@asks(app, "create", aliases=("add",))
async def create(
    session: Session, name: Name, description: Annotated[str, typer.Option(help="What it is for.")] = "", domain: Domain = None
) -> None:
    """Create a prompt without a version; `push` adds one, and creates the prompt too."""
    prompt = catalogue_pb2.Prompt(description=description)
    done(session, await Calls(session, PROMPTS).create(await _name(session, name, domain), prompt))


@asks(app, "update", aliases=("set",))
async def update(
    session: Session,
    name: Name,
    description: Annotated[str, typer.Option(help="What it is for; `''` for nothing.")],
    domain: Domain = None,
) -> None:
    """Change the description of a prompt."""
    before = await Calls(session, PROMPTS).one(await _name(session, name, domain))
    after = catalogue_pb2.Prompt()
    after.CopyFrom(before)
    after.description = description
    difference = checked(session, before, after, loosens=False)
    if difference is not None:
        done(session, await Calls(session, PROMPTS).change(before, after, after, ("description",)), difference)


@asks(app)
async def push(
    session: Session,
    name: Name,
    file: Annotated[Path | None, typer.Argument(help="The user message's template; `-` or nothing reads standard input.")] = None,
    system: Annotated[Path | None, typer.Option(help="A file with the system message's template.")] = None,
    variables: Annotated[
        Path | None, typer.Option(help="A file with the JSON Schema of the variables; without it the prompt takes none.")
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="A label to point to the new version; repeatable.")] = None,
    note: Annotated[str, typer.Option(help="What changed.")] = "",
    domain: Domain = None,
) -> None:
    """Add a version to a prompt, which is created where it does not exist. The same content adds nothing.

    What is not given stays as it is in the newest version: other messages than the user's, the schema, and the description.
    """
    full = await _name(session, name, domain)
    stub = _catalogue(session)
    text = sys.stdin.read() if file is None or str(file) == "-" else file.read_text(encoding="utf-8")
    templates: dict[str, str | None] = {"user": text}
    if system is not None:
        templates["system"] = system.read_text(encoding="utf-8")
    messages = replaced(full, await newest_messages(stub, full), templates)
    version = catalogue_pb2.PromptVersion(note=note, messages=messages)
    paths = ["version.messages", "version.note", "labels"]
    if variables is not None:
        version.variables_schema_json = variables.read_text(encoding="utf-8")
        paths.append("version.variables_schema_json")
    pushed = catalogue_pb2.WantedPrompt(name=full, version=version, labels=label or [])
    request = catalogue_pb2.ApplyPromptsRequest(parent=full.partition("/prompts/")[0], prompts=[pushed])
    request.update_masks[full].paths.extend(paths)
    answer = await stub.ApplyPrompts(request)
    made = (await stub.GetVersion(catalogue_pb2.GetVersionRequest(name=f"{full}/versions/latest"))).version
    if session.output.as_json:
        session.output.data({"version": made.name, "changes": [as_dict(change) for change in answer.changes]})
    session.output.line(made.name)


@asks(app)
async def label(
    session: Session,
    name: Name,
    label_: Annotated[str, typer.Argument(metavar="LABEL", help="Such as production.")],
    number: Annotated[int, typer.Argument(min=0, help="The version to point to. 0 removes the label.")],
    domain: Domain = None,
) -> None:
    """Point a label to a version."""
    stub = _catalogue(session)
    prompt = await Calls(session, PROMPTS).one(await _name(session, name, domain))
    if number:
        prompt.labels[label_] = number
    else:
        prompt.labels.pop(label_, None)
    request = catalogue_pb2.UpdatePromptRequest(prompt=prompt)
    request.update_mask.paths.append("labels")
    answer = await stub.UpdatePrompt(request)
    if session.output.as_json:
        session.output.message(answer.prompt)
    session.output.line(f"{answer.prompt.name}  {_labels(answer.prompt)}")


@asks(app)
async def diff(
    session: Session,
    name: Name,
    earlier: Annotated[int, typer.Argument(min=1, help="The earlier version.")],
    later: Annotated[int, typer.Argument(min=1, help="The later version.")],
    domain: Domain = None,
) -> None:
    """Compare two versions."""
    full = await _name(session, name, domain)
    request = catalogue_pb2.DiffVersionsRequest(name=full, from_number=earlier, to_number=later)
    answer = await _catalogue(session).DiffVersions(request)
    if session.output.as_json:
        session.output.message(answer)
    session.output.line(answer.diff.rstrip("\n"))


@asks(app, who="project")
async def render(
    session: Session,
    name: Name,
    variable: Variables = None,
    label_: Annotated[str, typer.Option("--label", help="The label whose version is rendered. Default: production, or the newest.")] = "",
    domain: Domain = None,
) -> None:
    """Render a prompt with values of its variables, as an application would: of its own domain, a role in its project is enough."""
    full = await _name(session, name, domain)
    own = f"{(await session.caller()).domain}/"
    request = catalogue_pb2.RenderRequest(name=full.removeprefix(own), label=label_, variables_json=variables_json(variable))
    answer = await _catalogue(session).Render(request)
    if session.output.as_json:
        session.output.message(answer)
        return
    for message in answer.messages:
        session.output.line(f"[{_role(message.role)}]\n" + "".join(part.text.text for part in message.parts))


async def _name(session: Session, name: str, domain: str | None) -> str:
    return await resource_name(session, PROMPTS.plural, name, domain)


def _labels(prompt: catalogue_pb2.Prompt) -> str:
    return ", ".join(f"{label}={number}" for label, number in sorted(prompt.labels.items()))


def _role(role: content_pb2.Role) -> str:
    return content_pb2.Role.Name(role).removeprefix("ROLE_").lower()


def _catalogue(session: Session) -> catalogue_pb2_grpc.CatalogueServiceStub:
    return catalogue_pb2_grpc.CatalogueServiceStub(session.channel("catalogue"))
