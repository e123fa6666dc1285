"""`llm-mesh health`: whether every service of the mesh serves, and which could not be asked."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.session import Session
from llm_mesh_cli.survey import Seen, ServiceHealth, survey
from llm_mesh_cli.unreachable import advice

app = typer.Typer()

_Without = Annotated[
    list[str] | None,
    typer.Option("--without", help="A service that this mesh is meant not to have, such as catalogue. May be given again.", metavar="NAME"),
]
_WRONG = {ServiceHealth.NOT_SERVING: "not serving", ServiceHealth.SILENT: "no answer from", ServiceHealth.NOT_ASKED: "could not ask"}
_AS_JSON = {ServiceHealth.SERVING: True, ServiceHealth.NOT_ASKED: None}


@asks(app, who="nobody")
async def health(session: Session, without: _Without = None) -> None:
    """Show whether every service serves; exit code 3 where one does not, does not answer, or could not be asked."""
    seen = await session.output.waiting(survey(session, without or ()), f"asking {session.address()}")
    if session.output.as_json:
        session.output.data({each.name: _AS_JSON.get(each.state, False) for each in sorted(seen, key=_best_first)})
    else:
        session.output.table(("SERVICE", "STATE", ""), [(each.name, each.state.value, each.detail) for each in seen])
    wrong = "; ".join(f"{words} {', '.join(names)}" for state, words in _WRONG.items() if (names := _names(seen, state)))
    if seen and all(each.state is ServiceHealth.SILENT for each in seen):
        message, remedy = advice(session)
        wrong += f": {message}\n  remedy: {remedy}"
    if wrong:
        raise CommandError(wrong, Exit.UNAVAILABLE)


def _best_first(each: Seen) -> bool:
    """Of several instances the worst is what a program is told."""
    return each.state is not ServiceHealth.SERVING


def _names(seen: list[Seen], state: ServiceHealth) -> list[str]:
    return sorted({each.name for each in seen if each.state is state})
