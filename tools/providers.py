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
adapter's page says how. Another mesh is an endpoint of the adapter [`mesh`](../services/adapters/mesh/README.md):
[other meshes](other-meshes.md).

One credential may bring several endpoints: `GEMINI_API_KEY` brings `gemini/google` and `openai/gemini`, `AWS_BEARER_TOKEN_BEDROCK`
brings `bedrock/bedrock` and the rows of Amazon at `anthropic` and `openai`. Prefer the one that speaks the provider's own dialect
(`gemini/google`, `bedrock/bedrock`; for Claude those at `anthropic`): more of a request goes through. The others are for models that only
they have.

In an address `{region}` stands for the region that the further setting names, else for that of the last column. Vertex's address is made of
project and location.

## Register a model of your own

The well-known models register themselves. Any other one takes a credential, an endpoint that has it, and a model. As a platform
administrator:

```sh
export MISTRAL_API_KEY=…                      # before `llm-mesh up`: it is the adapter that has the credential
llm-mesh adapters check openai/mistral        # does the provider take it?
llm-mesh models create ministral-8b --domain shared \\
    --adapter openai --endpoint mistral --upstream ministral-8b-latest \\
    --capability generate --capability streaming --context-window 131072 --region eu \\
    --price '{input: 0.10, output: 0.10, source: contract}'
llm-mesh chat 'hi' -m ministral-8b
```

With `--domain shared` the model is the platform's own word, and all domains may ask for it. A model of another domain (`--domain claims`)
claims no more than the endpoint's facts, else `ESCALATION_DENIED` names what it claims. Then a platform administrator declares the facts
first, or the model leaves out what it claims:

```sh
llm-mesh endpoints set openai/mistral --region eu --least-input '0.10 USD' --least-output '0.10 USD'
llm-mesh models create ministral-8b --domain claims \\
    --adapter openai --endpoint mistral --upstream ministral-8b-latest \\
    --capability generate --capability streaming --context-window 131072 --region eu \\
    --price '{input: 0.10, output: 0.10, source: contract}'
```
"""

_AWS = "`AWS_BEARER_TOKEN_BEDROCK`, or `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"
_SEVERAL = {
    "bedrock": _AWS,
    "bedrock-claude": _AWS,
    "vertex": "`GOOGLE_APPLICATION_CREDENTIALS` (a file) or `VERTEX_API_KEY`",
    "vertex-anthropic": "`GOOGLE_APPLICATION_CREDENTIALS` (a file)",
    "vertex-openai": "`GOOGLE_APPLICATION_CREDENTIALS` (a file)",
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
    yield "| endpoint | provider | address | credential | further settings | region |"
    yield "|---|---|---|---|---|---|"
    for row in importlib.import_module(f"{package}.provider.rows").ROWS:
        if not row.name.startswith("simulator"):
            address = f"`{row.base_url}`" if row.base_url else "of project and location" if "vertex" in row.name else "the operator's"
            further, region = _further(row, settings), getattr(row, "region", "")
            yield f"| `{row.name}` | {row.provider} | {address} | {_credential(name, row, settings)} | {further} | {region} |"
    yield ""


def _further(row: Any, settings: dict[str, dataclasses.Field[Any]]) -> str:  # noqa: ANN401 (each adapter's own row)
    """The customary variables that say where the row is, beside its credential."""
    names: tuple[str, ...] = ()
    if "{region}" in row.base_url and not getattr(row, "region", ""):
        names = ("region", "aws_region")
    elif row.name.startswith("vertex"):
        names = ("project", "location", "vertex_project", "vertex_location")
    elif row.name == "ollama-native":
        names = ("host",)
    return "; ".join(_variables(settings[name]) for name in names if name in settings)


def _variables(setting: dataclasses.Field[Any]) -> str:
    (rules,) = setting.metadata.values()
    return " or ".join(f"`{name}`" for name in rules.env)


def _credential(adapter: str, row: Any, settings: dict[str, dataclasses.Field[Any]]) -> str:  # noqa: ANN401 (each adapter's own row)
    """The customary variables of its credential, else the mesh's own."""
    key = getattr(row, "key", "")
    if row.name in _SEVERAL or not key:
        return _SEVERAL.get(row.name, "none")
    (rules,) = settings[key].metadata.values()
    return " or ".join(f"`{name}`" for name in rules.env or (f"{env_prefix(f'{_ADAPTER}{adapter}')}{key.upper()}",))
