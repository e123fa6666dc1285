"""Lets adapters share the public listener of an embedded mesh: they have one contract, so the caller names the one that is meant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.pipeline import Wrapped

if TYPE_CHECKING:
    from llm_mesh_runtime.host.assembly import Hosted
    from llm_mesh_runtime.pipeline import Origin, Pipeline
    from llm_mesh_runtime.pipeline.transport import Transport

ADAPTER = "x-llm-mesh-adapter"
"""Public metadata: the adapter's name, such as `openai`. May be left out where there is only one."""

PREFIX = "adapter/"


def shared(adapters: Iterable[Hosted]) -> list[Wrapped]:
    """Each public method of the adapters once, for all of them."""
    by_path: dict[str, dict[str, Wrapped]] = {}
    pipelines: dict[str, Pipeline] = {}
    for hosted in adapters:
        for wrapped in hosted.handlers:
            if wrapped.method.public:
                by_path.setdefault(wrapped.method.path, {})[hosted.service.name.removeprefix(PREFIX)] = wrapped
                pipelines[wrapped.method.path] = hosted.pipeline
    return [_choosing(choices, pipelines[path]) for path, choices in by_path.items()]


def _choosing(choices: Mapping[str, Wrapped], pipeline: Pipeline) -> Wrapped:
    only = next(iter(choices.values()))
    refusing = pipeline.wrap(replace(only.method, behaviour=_refusing(choices)))

    def invoke(first: Any, transport: Transport, origin: Origin) -> Awaitable[bytes | None]:  # noqa: ANN401 (bytes or an iterator of them)
        named = dict(transport.invocation_metadata() or ()).get(ADAPTER)
        chosen = only if named is None and len(choices) == 1 else choices.get(named or "")
        return (chosen or refusing).invoke(first, transport, origin)

    return Wrapped(only.method, invoke, only.head)


def _refusing(choices: Mapping[str, Wrapped]) -> Callable[[Any, Any], Awaitable[Any]]:
    """What answers where no adapter is meant: to callers who have shown a credential, as every handler."""

    async def behaviour(request: Any, context: Any) -> Any:  # noqa: ANN401 (any message)
        del request, context
        raise invalid(ADAPTER, f"expected metadata with one of {', '.join(sorted(choices))}")

    return behaviour
