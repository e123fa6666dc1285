"""`llm-mesh up`, as help and completion know it. The entry point itself starts it without loading this module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llm_mesh_cli.up import arguments

app = typer.Typer()


@app.command(help=arguments.HELP)
def up(
    http: Annotated[str | None, typer.Option(help=arguments.HTTP_HELP)] = None,
    grpc: Annotated[str | None, typer.Option(help=arguments.GRPC_HELP)] = None,
    data_dir: Annotated[Path | None, typer.Option(help=arguments.DATA_HELP)] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help=arguments.WORKERS_HELP)] = None,
    ready_file: Annotated[Path | None, typer.Option(help=arguments.READY_HELP)] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help=arguments.QUIET_HELP)] = False,
) -> None:
    """Start every installed service."""
    from llm_mesh_cli.up.start import start  # noqa: PLC0415 (help must not load every service)

    options = arguments.UpArguments(http, grpc, data_dir, workers, ready_file, quiet)
    raise typer.Exit(start(options))
