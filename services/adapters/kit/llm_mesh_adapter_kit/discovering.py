"""What an endpoint offers: its models, and what the provider says of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from llm_mesh.adapter.v1 import adapter_pb2, errors_pb2
from llm_mesh_adapter_kit.attempts import Attempts
from llm_mesh_adapter_kit.dialect import Describing, Dialect
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.limits import Limits

MOST_DESCRIBED: Final = 256
"""Models that a provider is asked about one by one."""
_AT_ONCE: Final = 4
_SHORT: Final = Limits(connect=2, first_token=3, idle=3, total=3)
_SILENT: Final = frozenset({errors_pb2.ERROR_REASON_PROVIDER_TIMEOUT, errors_pb2.ERROR_REASON_PROVIDER_UNREACHABLE})


class Discovering:
    """Asks endpoints for their models, by one dialect."""

    def __init__(self, dialect: Dialect, attempts: Attempts) -> None:
        self._dialect = dialect
        self._describing = dialect if isinstance(dialect, Describing) else None
        self._attempts = attempts

    async def discover(self, endpoint: Endpoint) -> adapter_pb2.DiscoverModelsResponse:
        """The models, as the provider names them, with what it says of them."""
        call = self._dialect.models(endpoint)
        body = await self._attempts.ask(call.elsewhere or endpoint, call)
        response = adapter_pb2.DiscoverModelsResponse(models=self._dialect.model_ids(endpoint, body))
        if self._describing is not None:
            descriptions = self._describing.listed(endpoint, body)
            rest = iter(descriptions[:MOST_DESCRIBED])
            async with asyncio.TaskGroup() as tasks:
                for _ in range(_AT_ONCE):
                    tasks.create_task(self._describe(self._describing, endpoint, rest))
            response.descriptions.extend(_saying_more(descriptions))
        return response

    async def _describe(self, describing: Describing, endpoint: Endpoint, descriptions: Iterator[adapter_pb2.ModelDescription]) -> None:
        """Completes descriptions until none is left; several do this side by side."""
        for description in descriptions:
            call = describing.describe(endpoint, description.model)
            if call is None:
                return
            try:
                describing.described(endpoint, await self._attempts.ask(endpoint, call, _SHORT), description)
            except AdapterError as error:  # logged where it happened; the model is offered all the same
                if error.reason in _SILENT:
                    return  # what does not answer is not asked again and again: the list must not wait for it


def _saying_more(descriptions: Iterable[adapter_pb2.ModelDescription]) -> Iterator[adapter_pb2.ModelDescription]:
    """Those that say more than the name."""
    return (each for each in descriptions if len(each.ListFields()) > 1)
