"""`llm-mesh settings`: every setting of what is installed, its value, and where that stands. Secrets are masked."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_mesh_cli.failures import Exit
from llm_mesh_cli.output import Output

app = typer.Typer()


@app.command()
def show(
    service: Annotated[str | None, typer.Argument(help="Only of this service; `mesh` are those that all share.")] = None,
    changed: Annotated[bool, typer.Option("--set", help="Only what differs from its default.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Show all settings, their values and where these stand."""
    from llm_mesh_cli.installation import all_settings  # noqa: PLC0415 (help must not load the services)

    output = Output(as_json=json)
    effective = all_settings()
    for problem in effective.problems:
        output.error(problem)
    rows = [
        (name, row.name, row.value, row.origin)
        for name, loaded in effective.rows
        for row in loaded
        if service in {None, name} and not (changed and row.origin == "default")
    ]
    if json:
        output.data([dict(zip(("service", "name", "value", "origin"), row, strict=True)) for row in rows])
    else:
        output.table(("SERVICE", "SETTING", "VALUE", "FROM"), rows)
    if effective.problems:
        raise typer.Exit(Exit.USAGE)
