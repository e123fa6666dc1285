"""Lets adapters share the public listener of an embedded mesh: they have one contract, so the caller names the one that is meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.pipeline import Wrapped
from llm_mesh_runtime.status import trailers

if TYPE_CHECKING:
    from llm_mesh_runtime.host.assembly import Hosted
    from llm_mesh_runtime.pipeline import Origin
    from llm_mesh_runtime.pipeline.transport import Transport

ADAPTER = "x-llm-mesh-adapter"
"""Public metadata: the adapter's name, such as `openai`. May be left out where there is only one."""

PREFIX = "adapter/"


def shared(adapters: Iterable[Hosted]) -> list[Wrapped]:
    """Each public method of the adapters once, for all of them."""
    by_path: dict[str, dict[str, Wrapped]] = {}
    for hosted in adapters:
        for wrapped in hosted.handlers:
            if wrapped.method.public:
                by_path.setdefault(wrapped.method.path, {})[hosted.service.name.removeprefix(PREFIX)] = wrapped
    return [_choosing(choices) for choices in by_path.values()]


def _choosing(choices: Mapping[str, Wrapped]) -> Wrapped:
    only = next(iter(choices.values()))

    async def invoke(first: Any, transport: Transport, origin: Origin) -> bytes | None:  # noqa: ANN401 (bytes or an iterator of them)
        wanted = dict(transport.invocation_metadata() or ()).get(ADAPTER)
        chosen = only if wanted is None and len(choices) == 1 else choices.get(wanted or "")
        if chosen is None:
            error = invalid(ADAPTER, f"expected metadata with one of {', '.join(sorted(choices))}")
            await transport.abort(error.code, error.message, trailers(error))
        return await chosen.invoke(first, transport, origin)

    return Wrapped(only.method, invoke)
