"""Values of a prompt's variables, as people write them: `--var name=value`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated

import typer

from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.session import domain_name

Variables = Annotated[list[str] | None, typer.Option("--var", help="name=value, where the value is JSON or else text; repeatable.")]
_PROMPTS = "/prompts/"


def variables_json(pairs: Iterable[str] | None, base: str = "") -> str:
    """The values as a JSON object; `base` are those of a JSON object, which pairs replace one by one. Empty: none."""
    try:
        values = json.loads(base) if base else {}
    except ValueError as error:
        raise CommandError(f"--variables: expected a JSON object: {error}", Exit.USAGE) from error
    if not isinstance(values, dict):
        raise CommandError("--variables: expected a JSON object", Exit.USAGE)
    values |= dict(_variable(pair) for pair in pairs or ())
    return json.dumps(values, ensure_ascii=False) if values else ""


def prompt_reference(text: str) -> str:
    """`summary`, `claims/summary` or a resource name, each perhaps with `/versions/3`: as a request names a prompt."""
    if text.startswith("domains/") or "/" not in text.partition("/versions/")[0]:
        return text
    owner, _, rest = text.partition("/")
    return f"{domain_name(owner)}{_PROMPTS}{rest}"


def _variable(pair: str) -> tuple[str, object]:
    name, sign, text = pair.partition("=")
    if not sign or not name:
        raise CommandError(f"--var {pair}: expected name=value", Exit.USAGE)
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text
