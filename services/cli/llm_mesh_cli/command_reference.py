"""The reference of all commands, made of what the parser knows: `make docs` writes it to docs/commands.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm_mesh_cli.app import ALIASES, COMMANDS, loaded

HEAD = """# Commands

Generated from the command line's parser by `make docs`; do not edit. The [command line's own page](../services/cli/README.md) says
which mesh is asked, as whom, and what the exit codes mean.

A resource is named by its id within the domain (`summary`), with its domain (`claims/summary`), or by its resource name
(`domains/claims/prompts/summary`). `create` may be written `add`, and `update` as `set`; `endpoints`
has an `add` and a `set` of its own. Nouns are plural; their singular does the same:
{aliases}.
"""
_COMMON_HEAD = "Each command that asks a mesh also takes:\n"
_EVERYWHERE = ("--key", "--address", "--data-dir", "--reason", "--json")
_UNLISTED = ("--help", "--install-completion", "--show-completion")


def page() -> str:
    """The whole page."""
    aliases = ", ".join(f"`{alias}`" for alias in ALIASES)
    sections = [line for name in COMMANDS for line in _section(name)]
    return "\n".join([HEAD.format(aliases=aliases), _COMMON_HEAD, *_common(), "", *sections])


def _common() -> Iterator[str]:
    command = loaded("whoami")
    yield from _table([each for each in command.params if each.opts[0] in _EVERYWHERE])


def _section(name: str) -> Iterator[str]:
    command = loaded(name)
    inner: dict[str, Any] = getattr(command, "commands", {})
    yield f"## {name}\n"
    if not inner:
        yield from _command(name, command)
        return
    yield f"{COMMANDS[name][1]}\n"
    for verb, each in inner.items():
        if not each.hidden:
            yield f"### {name} {verb}\n"
            yield from _command(f"{name} {verb}", each)


def _command(path: str, command: Any) -> Iterator[str]:  # noqa: ANN401 (typer's vendored click)
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    needed = [f"{each.opts[-1]} …" for each in command.params if each not in arguments and each.required]
    words = [*(_argument(each) for each in arguments), *needed]
    yield f"`{' '.join(['llm-mesh', path, *words])}`\n"
    yield f"{_text(command.help)}\n"
    own = [*arguments, *(each for each in command.params if each not in arguments and each.opts[0] not in (*_EVERYWHERE, *_UNLISTED))]
    if own:
        yield from _table(own)
        yield ""


def _argument(parameter: Any) -> str:  # noqa: ANN401 (likewise)
    name = (parameter.metavar or parameter.name).strip("[]{}").upper().rstrip("_")
    more = "…" if parameter.nargs == -1 else ""
    return f"{name}{more}" if parameter.required else f"[{name}{more}]"


def _table(parameters: list[Any]) -> Iterator[str]:
    yield "| option | |"
    yield "|---|---|"
    for each in parameters:
        names = [_argument(each)] if each.param_type_name == "argument" else [*each.opts, *each.secondary_opts]
        yield f"| {', '.join(f'`{name}`' for name in names)} | {_text(each.help)}{_default(each)} |"


def _default(parameter: Any) -> str:  # noqa: ANN401 (likewise)
    value = parameter.default
    shown = value is not None and not callable(value) and value not in ("", False, ()) and not isinstance(value, list)
    return f" Default: `{getattr(value, 'value', value)}`." if shown and "Default" not in (parameter.help or "") else ""


def _text(help_: str | None) -> str:
    return " ".join((help_ or "").split()).replace("|", r"\|")
