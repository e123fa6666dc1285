"""The commands by name. A command's module is only imported once the command is called, so that small ones stay quick."""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("up", "Start every installed service in one process."),
    "serve": ("serve", "Serve one or more services, with links from the environment."),
    "migrate": ("migrate", "Bring the schemas of services to this build's revision."),
    "bootstrap": ("bootstrap", "Make the first administrator with the one-time token."),
    "setup": ("setup", "Make a first project, and register the models of the providers that adapters reach."),
    "apply": ("apply", "Bring the mesh to the state that a file describes."),
    "chat": ("chat", "Ask a model; interactive without a message."),
    "embed": ("embed", "Embed texts."),
    "domains": ("domains", "Show, create and change domains."),
    "projects": ("projects", "Show, create and change projects."),
    "principals": ("principals", "Show, create and change people and applications, and explain what they may do."),
    "roles": ("roles", "Show, set and delete roles."),
    "bindings": ("bindings", "Show who holds which role; create, accept, reject and delete."),
    "keys": ("keys", "Make, show, list, rotate and revoke keys."),
    "models": ("models", "Show, add and change models, find local ones, deprecate them."),
    "prices": ("prices", "Show and add price versions of models."),
    "routes": ("routes", "Show, create, change and delete routes."),
    "adapters": ("adapters", "Show and register adapters, and ask them for their endpoints."),
    "subscriptions": ("subscriptions", "Show what other domains offer, and accept it."),
    "prompts": ("prompts", "Show, create, push, label, compare and render prompts."),
    "budgets": ("budgets", "Show, set and delete what projects may spend."),
    "floors": ("floors", "Show and set what the platform sets about domains, and no domain lifts."),
    "limits": ("limits", "Show and set limits of requests, tokens and concurrency."),
    "audit": ("audit", "Show and verify the audit trail."),
    "endpoints": ("endpoints", "Show and declare the facts of providers' endpoints."),
    "spend": ("spend", "Sum what was spent."),
    "requests": ("requests", "Show what became of requests, and correct what they were charged."),
    "feedback": ("feedback", "Say how good an answer was, and list what was said."),
    "retention": ("retention", "Show and set how long projects store content, and erase it."),
    "projections": ("projections", "Build anew what spend and tail are shown from."),
    "explain": ("explain", "Show why a request went where it went, or nowhere."),
    "tail": ("tail", "Follow requests as they are made and settled."),
    "whoami": ("whoami", "Show whose key is used."),
    "health": ("health", "Show whether every service serves."),
    "doctor": ("doctor", "Look for what is wrong with this installation."),
    "settings": ("settings", "Show all settings, their values and where these stand."),
    "version": ("version", "Show the versions of what is installed."),
}
"""Name to module in `llm_mesh_cli.commands`, and help."""


ALIASES = {name.removesuffix("s"): name for name in COMMANDS if name.endswith("s") and name != "settings"}
"""The singular of each noun, which does the same. Help lists the plural."""


class Commands(TyperGroup):
    """The root: knows all commands by name, and loads the one that is called."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 (typer's)
        attributes["commands"] = {name: TyperCommand(name=name, help=help_text) for name, (_, help_text) in COMMANDS.items()}
        super().__init__(**attributes)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 (typer's vendored click)
        """Put the command itself into the place of its name."""
        name = ALIASES.get(args[0], args[0])
        if name in COMMANDS:
            self.commands[name] = loaded(name)
        return super().resolve_command(ctx, [name, *args[1:]])


def loaded(name: str) -> Any:  # noqa: ANN401 (typer's vendored click)
    """The command of that name."""
    module = importlib.import_module(f"llm_mesh_cli.commands.{COMMANDS[name][0]}")
    command = get_command(module.app)
    command.name = name
    return command


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="LLM Mesh: one fabric between applications and models. Exit codes: 0 done, 1 failed, 2 wrong call, 3 unavailable, "
    "4 denied, 5 not found, 6 conflict, 7 used up.",
)


@app.callback()
def root() -> None:
    """Takes no options of its own."""


def run() -> None:
    """Run the command line."""
    app(prog_name="llm-mesh")
