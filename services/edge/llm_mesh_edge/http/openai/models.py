"""`GET /v1/models` and `GET /v1/models/{id}`. Ids are aliases, which may have slashes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.domain.headers import Metadata
from llm_mesh_edge.domain.ports import Gateway
from llm_mesh_edge.http.exchange import Exchange, ProblemError

PATH = "/v1/models"
_PAGE = 1000
_PAGES = 20


class Models:
    """Tells what the caller may ask."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def all(self, exchange: Exchange) -> None:
        """The list, whole: the dialect knows no pages."""
        models = [_model(each) async for each in self._each(exchange.headers.metadata())]
        await exchange.answer_json({"object": "list", "data": models})

    async def one(self, exchange: Exchange) -> None:
        """One of the list."""
        wanted = exchange.path.removeprefix(f"{PATH}/")
        async for each in self._each(exchange.headers.metadata()):
            if each.alias == wanted:
                await exchange.answer_json(_model(each))
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


def _model(model: gateway_pb2.ModelSummary) -> dict[str, object]:
    known: dict[str, object] = {"id": model.alias, "object": "model", "created": model.created, "owned_by": model.owner}
    extension = {
        "capabilities": list(model.capabilities),
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
    }
    told = {key: value for key, value in extension.items() if value}
    return known | ({"llm_mesh": told} if told else {})
