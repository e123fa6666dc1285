"""`GET /v1/models` and `GET /v1/models/{id}`, of every dialect. Ids are aliases, which may have slashes and colons."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.domain.headers import Headers, Metadata
from llm_mesh_edge.domain.ports import GatewayClient
from llm_mesh_edge.http.exchange import HttpExchange, ProblemError

_PAGE = 1000
_AT_ONCE = 200
"""Models that are written in one turn of the event loop; more are in a thread."""
_PAGES = 20


class ModelsForm(Protocol):
    """How a dialect tells models."""

    def listed(self, models: Sequence[gateway_pb2.ModelSummary], /) -> object:
        """The answer to a request for all of them."""

    def one(self, model: gateway_pb2.ModelSummary, /) -> object:
        """One model."""


class ModelsHandler:
    """Tells what the caller may ask, below a path, in the form that the headers of a request ask for."""

    def __init__(self, gateway: GatewayClient, path: str, form_of: Callable[[Headers], ModelsForm]) -> None:
        self._gateway = gateway
        self._begin = f"{path}/"
        self._form_of = form_of

    async def all(self, exchange: HttpExchange) -> None:
        """The list."""
        models = [each async for each in self._each(exchange.headers.metadata())]
        listed = self._form_of(exchange.headers).listed
        await exchange.answer_json(await asyncio.to_thread(listed, models) if len(models) > _AT_ONCE else listed(models))

    async def one(self, exchange: HttpExchange) -> None:
        """One of the list."""
        alias = exchange.path.removeprefix(self._begin)
        async for each in self._each(exchange.headers.metadata()):
            if each.alias == alias:
                await exchange.answer_json(self._form_of(exchange.headers).one(each))
                return
        raise ProblemError(Failure(404, "model_not_found", "there is no such model, or you may not use it", "model"))

    async def _each(self, metadata: Metadata) -> AsyncIterator[gateway_pb2.ModelSummary]:
        token = ""
        for _ in range(_PAGES):
            page = await self._gateway.models(gateway_pb2.ListModelsRequest(page_size=_PAGE, page_token=token), metadata)
            for model in page.models:
                yield model
            token = page.next_page_token
            if not token:
                return
