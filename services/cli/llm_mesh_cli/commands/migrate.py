"""`llm-mesh migrate`: schemas, as a step of their own before new instances start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from llm_mesh_cli.failures import Exit, exit_code
from llm_mesh_cli.output import Output
from llm_mesh_runtime.errors import MeshError, with_cause
from llm_mesh_runtime.settings import SettingsError

if TYPE_CHECKING:
    from llm_mesh_cli.stores import ServiceStore

app = typer.Typer()


@app.command()
def migrate(
    services: Annotated[list[str] | None, typer.Argument(help="Names such as policy. Default: all installed ones that own data.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit code 6 where a schema is not current.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Bring the schemas of services to this build's revision. Repeating it changes nothing."""
    from llm_mesh_cli.stores import stores  # noqa: PLC0415 (help must not load the services)
    from llm_mesh_runtime.host import StartError  # noqa: PLC0415 (likewise)

    output = Output(as_json=json)
    try:
        selected = stores(tuple(services or ()))
        rows = asyncio.run(_migrated(output, selected, check=check))
    except MeshError as error:
        output.failure(error)
        if error.__cause__ is not None:
            output.note(with_cause(error))
        raise typer.Exit(exit_code(error)) from error
    except (StartError, SettingsError) as error:
        output.error(str(error))
        raise typer.Exit(Exit.USAGE) from error
    if json:
        output.data([{"service": name, "before": before, "revision": now, "wanted": last} for name, before, now, last in rows])
    else:
        output.table(
            ("SERVICE", "BEFORE", "NOW", "WANTED"), [(name, before or "none", now or "none", last) for name, before, now, last in rows]
        )
    if any(now < last for _, _, now, last in rows):
        raise typer.Exit(Exit.CONFLICT)


async def _migrated(output: Output, selected: tuple[ServiceStore, ...], *, check: bool) -> list[tuple[str, str, str, str]]:
    rows = []
    for store in selected:
        async with store.opened() as schema:
            before = await schema.current()
            if not check:
                await output.waiting(schema.migrate(), f"migrating {store.service}")
            rows.append((store.service, before, await schema.current(), schema.last))
    return rows
