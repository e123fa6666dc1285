"""The starting table of well-known models: converted from public price lists, each row with its source and date."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from typing import Any

from google.protobuf.json_format import ParseDict

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_runtime.resources import Page


class WellKnownModels:
    """Reads the table when it is first asked for: most processes never need it."""

    def page(self, endpoint: str, page: Page) -> tuple[Sequence[registry_pb2.Model], str]:
        """Models of an endpoint, or of all, by endpoint and upstream id; and the token of the next page."""
        rows = [row for row in self._rows if _key(row) > page.after and endpoint in ("", row["endpoint"])]
        shown, token = page.cut(rows[: page.limit], key=_key)
        return [ParseDict(row, registry_pb2.Model()) for row in shown], token

    @cached_property
    def _rows(self) -> Sequence[dict[str, Any]]:
        text = files("llm_mesh_registry").joinpath("data/well_known_models.json").read_text(encoding="utf-8")
        rows: list[dict[str, Any]] = json.loads(text)["models"]
        return sorted(rows, key=_key)


def _key(row: dict[str, Any]) -> str:
    return f"{row['endpoint']}/{row['upstreamModel']}"
