"""`llm-mesh version`: what is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distributions, version
from typing import Annotated

import typer

from llm_mesh_cli.output import Output

app = typer.Typer()


@app.command()
def show(json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False) -> None:
    """Show the versions of what is installed."""
    parts = sorted({each.name for each in distributions() if each.name.startswith("llm-mesh-")})
    versions = {name: version(name) for name in parts}
    output = Output(as_json=json)
    if json:
        output.data({"version": _own(), "parts": versions})
        return
    output.line(f"llm-mesh {_own()}")
    for name, number in versions.items():
        output.line(f"  {name.removeprefix('llm-mesh-'):<18} {number}")


def _own() -> str:
    try:
        return version("llm-mesh")
    except PackageNotFoundError:
        return version("llm-mesh-cli")
