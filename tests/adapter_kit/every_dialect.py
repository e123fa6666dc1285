"""The dialects of all adapters, as their own wiring puts them together, at the simulator's address."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Never

import pytest

from llm_mesh_adapter_kit.dialect import Dialect, StreamReader
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from tests.conformance.wires import WIRES

ENDPOINT = "main"


@dataclass(frozen=True)
class Wired:
    """A dialect, and the endpoint that its adapter would call."""

    dialect: Dialect
    endpoint: Endpoint
    answer_reader: Callable[[], StreamReader] | None = None
    """Of a call that brings its own."""

    def reader(self) -> StreamReader:
        """Reads a streamed answer, as attempts of the kit do."""
        return self.answer_reader() if self.answer_reader is not None else self.dialect.reader(self.endpoint)


class _PutTogetherError(Exception):
    def __init__(self, dialect: Dialect, table: EndpointTable) -> None:
        super().__init__()
        self.dialect = dialect
        self.table = table


def wired(adapter: str, address: str) -> Wired:
    """What the wiring of an adapter puts together for one endpoint; nothing is started."""
    wire = WIRES[adapter]
    wiring: Any = importlib.import_module(f"llm_mesh_adapter_{wire.adapter}.wiring")
    endpoint = json.dumps({"base_url": f"http://{address}{wire.path}", "local": True, **wire.settings})

    def assemble(name: str, dialect: Dialect, table: EndpointTable, *_: Any, **__: Any) -> Never:
        assert name == wire.adapter
        raise _PutTogetherError(dialect, table)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "assemble", assemble)
        with pytest.raises(_PutTogetherError) as made:
            wiring.build(wiring.Settings(endpoints={ENDPOINT: endpoint}), None)
    (found,) = [each for each in made.value.table if each.name == ENDPOINT]
    return Wired(made.value.dialect, found)
