"""The page of providers: every row of every adapter, with the setting that brings its credential."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from llm_mesh.services import SERVICES
from llm_mesh_runtime.settings.naming import env_prefix

_ADAPTER = "adapter/"
_HEAD = """# Providers

Generated from the adapters' rows (`provider/rows.py`) by `make docs`; do not edit.

A provider serves once the adapter has its credential: set the variable before `llm-mesh up`, and `llm-mesh setup` (which `up`
does by itself) registers its well-known models with their prices. `llm-mesh adapters check ADAPTER/ENDPOINT` asks whether the
provider takes the credential, `llm-mesh models discover` what a local server offers. Each variable has a form that ends in
`_FILE` and names a file instead. Servers that are not here are added as endpoints of the adapter whose dialect they speak: each
adapter's page says how.
"""


_SEVERAL = {
    "bedrock": "`AWS_BEARER_TOKEN_BEDROCK`, or `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`",
    "vertex": "`GOOGLE_APPLICATION_CREDENTIALS` (a file) or `VERTEX_API_KEY`",
}
"""Credentials that are more than one key."""


def page() -> str:
    """The whole page."""
    adapters = [each.name.removeprefix(_ADAPTER) for each in SERVICES if each.name.startswith(_ADAPTER)]
    names = [name for name in adapters if find_spec(f"llm_mesh_adapter_{name}.provider.rows") is not None]
    return "\n".join([_HEAD, *(line for name in names for line in _adapter(name))])


def _adapter(name: str) -> Iterator[str]:
    """One adapter's rows. The simulator's are left out: they need nothing."""
    package = f"llm_mesh_adapter_{name}"
    settings = {each.name: each for each in dataclasses.fields(importlib.import_module(f"{package}.settings").Settings)}
    yield f"## [{name}](../services/adapters/{name}/README.md)\n"
    yield "| endpoint | provider | address | credential | region |"
    yield "|---|---|---|---|---|"
    for row in importlib.import_module(f"{package}.provider.rows").ROWS:
        if not row.name.startswith("simulator"):
            address = f"`{row.base_url}`" if row.base_url else "the operator's"
            yield f"| `{row.name}` | {row.provider} | {address} | {_credential(name, row, settings)} | {getattr(row, 'region', '')} |"
    yield ""


def _credential(adapter: str, row: Any, settings: dict[str, dataclasses.Field[Any]]) -> str:  # noqa: ANN401 (each adapter's own row)
    """The customary variables of its credential, else the mesh's own."""
    key = getattr(row, "key", "")
    if row.name in _SEVERAL or not key:
        return _SEVERAL.get(row.name, "none")
    (rules,) = settings[key].metadata.values()
    return " or ".join(f"`{name}`" for name in rules.env or (f"{env_prefix(f'{_ADAPTER}{adapter}')}{key.upper()}",))
