"""`llm-mesh serve`: some services in a process of their own, with links from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def serve(
    services: Annotated[list[str], typer.Argument(help="Names such as policy, gateway or adapter/openai.")],
    ready_file: Annotated[Path | None, typer.Option(help="A file that is written when the services serve, and removed at the end.")] = None,
) -> None:
    """Serve one or more services until SIGTERM; peers are found by LLM_MESH_LINK_…, settings by LLM_MESH_…."""
    from llm_mesh_runtime.host import run  # noqa: PLC0415 (help must not load the host)

    raise typer.Exit(run(services, mode="separate", ready_file=ready_file))
