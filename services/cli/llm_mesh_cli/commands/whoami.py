"""`llm-mesh whoami`: whose key is used."""

from __future__ import annotations

import typer

from llm_mesh_cli.command import asks
from llm_mesh_cli.session import Session

app = typer.Typer()


@asks(app)
async def whoami(session: Session) -> None:
    """Show as whom the mesh is asked: the principal, domain and project of the key."""
    session.output.resource(await session.caller())
