"""The settings of a service as a table for its README: generated from the declarations, so that it cannot go stale."""

from collections.abc import Mapping
from datetime import timedelta

from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings.fields import DeclaredSetting, declared
from llm_mesh_runtime.settings.naming import MESH, env_prefix, table_of
from llm_mesh_runtime.settings.values import described


def settings_table(settings_type: type, service: str = MESH) -> str:
    """A Markdown table: variable, key in the file, type, default, meaning."""
    lines = ["| variable | file | type | default | meaning |", "|---|---|---|---|---|"]
    lines += [_line(service, each) for each in declared(settings_type)]
    return "\n".join(lines) + "\n"


def _line(service: str, each: DeclaredSetting) -> str:
    prefix = each.rules.prefix
    own = f"{prefix}<NAME>" if prefix else f"{env_prefix(service)}{each.name.upper()}"
    variables = ", ".join(f"`{name}`" for name in (own, *each.rules.env))
    if each.type is Secret:
        variables += f", `{own}_FILE`"
    key = f"`[{'.'.join(table_of(service))}] {each.name}`"
    cells = (variables, key, described(each.type), _default(each), each.rules.help)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(each: DeclaredSetting) -> str:
    if each.required:
        return "required"
    value = each.default
    if isinstance(value, timedelta):
        return f"`{value.total_seconds():g}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`" if value else ""
    if value is None or isinstance(value, Secret | Mapping) or value == "":
        return ""
    return f"`{value}`"
