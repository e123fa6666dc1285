"""`llm-mesh apply`: the mesh as a file describes it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_cli import loosening
from llm_mesh_cli.apply.applying import LoosensError, PartRefusedError, ServiceChange, apply, split
from llm_mesh_cli.apply.document import parsed
from llm_mesh_cli.apply.reading import FileError
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit, exit_code
from llm_mesh_cli.name_checks import FORCE, check
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.session import Session

if TYPE_CHECKING:
    from llm_mesh_cli.apply.desired import DesiredState

app = typer.Typer()
_SIGNS = {
    resources_pb2.CHANGE_ACTION_CREATE: "+",
    resources_pb2.CHANGE_ACTION_UPDATE: "~",
    resources_pb2.CHANGE_ACTION_DELETE: "-",
    resources_pb2.CHANGE_ACTION_NONE: "=",
}


@asks(app, "apply")
async def apply_file(
    session: Session,
    file: Annotated[Path, typer.Option("-f", "--file", help="The file, in YAML. See examples/mesh.yaml.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    allow_loosening: Annotated[bool, typer.Option("--allow-loosening", help="Make changes that loosen a guard too.")] = False,
    force: FORCE = False,
) -> None:
    """Bring domains, projects, principals, roles, budgets, limits, models, routes, prompts and subscriptions to what a file says.

    What the file does not name is left alone, field by field; `null` unsets a field, and deletes a budget. Nothing else is deleted, and
    repeating it changes nothing. A change that loosens a guard, such as a higher limit, is made with --allow-loosening only. Each service
    takes its part as a whole or not at all, and all are asked first whether they would. Above 500 resources it takes several calls.
    """
    try:
        desired = parsed(file, session.mesh.currency)
    except FileError as error:
        raise CommandError("\n  ".join([f"{file} is not a description of a mesh:", *error.problems]), Exit.USAGE) from error
    await check(session, desired, force=force)
    for service, count in split(desired).items():
        session.output.note(f"{service} takes this in {count} calls, each all or nothing; all are tried before the first is made")
    try:
        steps = await session.output.waiting(apply(session, desired, dry_run=dry_run, loosening=allow_loosening, force=force), "applying")
    except PartRefusedError as refused:
        raise _explained(refused, desired) from refused
    except LoosensError as refused:
        raise loosening.refused(step.change for step in refused.steps) from refused
    _show(session, steps, dry_run=dry_run)


def _explained(refused: PartRefusedError, desired: DesiredState) -> CommandError:
    error = refused.error
    position = desired.where(refused.part, refused.field)
    lines = [f"{refused.service} refuses: {error.message} ({error.reason_name})"]
    if position is not None:
        place, rest = position
        lines.append(f"at: {place.where}: {place.path}{'.' + rest if rest else ''}")
    if error.remedy:
        lines.append(f"remedy: {error.remedy}")
    lines.append(f"changed before: {', '.join(refused.done)}; apply again once corrected" if refused.done else "nothing was changed")
    return CommandError("\n  ".join(lines), exit_code(error))


def _show(session: Session, steps: list[ServiceChange], *, dry_run: bool) -> None:
    changed = [step for step in steps if step.change.action != resources_pb2.CHANGE_ACTION_NONE]
    if session.output.as_json:
        session.output.data({"dryRun": dry_run, "changes": [{"service": step.service, **as_dict(step.change)} for step in steps]})
        return
    colour = sys.stdout.isatty()
    for step in changed:
        sign = _SIGNS.get(step.change.action, "?")
        mark = loosening.MARK if step.change.loosens and not step.change.fields else ""
        session.output.line(_coloured(sign, f"{sign} {step.change.resource}{mark}", coloured=colour))
        if step.change.action == resources_pb2.CHANGE_ACTION_UPDATE:
            for field in step.change.fields:
                session.output.line(f"    {loosening.change_text(field)}{loosening.MARK if field.loosens else ''}")
    same = len(steps) - len(changed)
    session.output.line(f"{len(changed)} {'would change' if dry_run else 'changed'}, {same} as they should be")
    looser = sum(step.change.loosens for step in changed)
    if dry_run and looser:
        session.output.line(f"{looser} of them loosen a guard: {loosening.NEEDS_FLAG}")


def _coloured(sign: str, text: str, *, coloured: bool) -> str:
    code = {"+": "32", "~": "33", "-": "31"}.get(sign, "")
    return f"\x1b[{code}m{text}\x1b[0m" if coloured and code else text
