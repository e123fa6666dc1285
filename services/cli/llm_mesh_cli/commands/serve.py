"""`llm-mesh serve`, as help and completion know it. The entry point itself starts it without loading this module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llm_mesh_cli import serving

app = typer.Typer()


@app.command(help=serving.HELP)
def serve(
    services: Annotated[list[str], typer.Argument(help=serving.SERVICES_HELP)],
    ready_file: Annotated[Path | None, typer.Option(help=serving.READY_HELP)] = None,
) -> None:
    """Serve one or more services."""
    raise typer.Exit(serving.start(serving.ServeArguments(services, ready_file)))
