"""`/v1/batches`: many requests of a file, answered within a day."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from llm_mesh.batches.v1 import batches_pb2
from llm_mesh_edge.domain.ports import BatchesClient
from llm_mesh_edge.domain.queries import Query
from llm_mesh_edge.domain.receipts import decimal
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_edge.http.openai.lists import LIST_FIELDS, page_of
from llm_mesh_edge.http.resource_paths import identity_in, name_fields
from llm_mesh_runtime.errors import invalid

PATH = "/v1/batches"
_CANCEL = "/cancel"
_WINDOW = "24h"
_OWN, _OURS = "batch_", "batch-"
_FIELDS = {"input_file": "input_file_id", "page_size": "limit", **LIST_FIELDS}
_CREATED = frozenset({"input_file_id", "endpoint", "completion_window", "metadata"})
ENDPOINTS: Mapping[str, batches_pb2.BatchEndpoint] = MappingProxyType(
    {
        "/v1/chat/completions": batches_pb2.BATCH_ENDPOINT_CHAT_COMPLETIONS,
        "/v1/embeddings": batches_pb2.BATCH_ENDPOINT_EMBEDDINGS,
        "/v1/messages": batches_pb2.BATCH_ENDPOINT_MESSAGES,
    }
)
_URLS = {number: url for url, number in ENDPOINTS.items()}
_STATES = {
    batches_pb2.BATCH_STATE_VALIDATING: "validating",
    batches_pb2.BATCH_STATE_FAILED: "failed",
    batches_pb2.BATCH_STATE_IN_PROGRESS: "in_progress",
    batches_pb2.BATCH_STATE_CANCELLING: "cancelling",
    batches_pb2.BATCH_STATE_EXPIRING: "finalizing",
    batches_pb2.BATCH_STATE_COMPLETED: "completed",
    batches_pb2.BATCH_STATE_CANCELLED: "cancelled",
    batches_pb2.BATCH_STATE_EXPIRED: "expired",
}


class BatchesHandler:
    """Creates, shows, lists and stops batches."""

    def __init__(self, batches: BatchesClient, bodies: Bodies) -> None:
        self._batches = batches
        self._bodies = bodies

    async def create(self, exchange: HttpExchange) -> None:
        """Begins a batch of a file."""
        name_fields(exchange, _FIELDS)
        body, _ = await self._bodies.read(exchange)
        batch = await self._batches.create(_request(body), exchange.headers.metadata())
        await exchange.answer_json(batch_object(batch))

    async def all(self, exchange: HttpExchange) -> None:
        """A page of batches, newest first."""
        name_fields(exchange, _FIELDS)
        query = Query(exchange.query)
        request = batches_pb2.ListBatchesRequest(page_size=query.whole("limit", 20, 100), after=_ours(query.text("after")))
        answer = await self._batches.batches(request, exchange.headers.metadata())
        await exchange.answer_json(page_of([batch_object(each) for each in answer.batches], more=bool(answer.next_page_token)))

    async def one(self, exchange: HttpExchange) -> None:
        """How far a batch is."""
        batch = await self._batches.batch(_ours(identity_in(exchange, f"{PATH}/")), exchange.headers.metadata())
        await exchange.answer_json(batch_object(batch))

    async def cancel(self, exchange: HttpExchange) -> None:
        """Stops a batch."""
        batch = await self._batches.cancel(_ours(identity_in(exchange, f"{PATH}/", _CANCEL)), exchange.headers.metadata())
        await exchange.answer_json(batch_object(batch))


def batch_object(batch: batches_pb2.Batch) -> dict[str, Any]:
    """A batch in OpenAI's shape."""
    counts, state = batch.counts, batch.state
    ended = batch.end_time.seconds or None
    failed = counts.failed + counts.cancelled + counts.expired
    return {
        "id": _OWN + batch.id.removeprefix(_OURS),
        "object": "batch",
        "endpoint": _URLS.get(batch.endpoint, ""),
        "errors": _errors(batch),
        "input_file_id": batch.input_file,
        "completion_window": _WINDOW,
        "status": _STATES.get(state, "in_progress"),
        "output_file_id": batch.output_file or None,
        "error_file_id": batch.error_file or None,
        "created_at": batch.create_time.seconds,
        "in_progress_at": batch.start_time.seconds or None,
        "expires_at": batch.expire_time.seconds,
        "finalizing_at": ended if state != batches_pb2.BATCH_STATE_FAILED else None,
        "completed_at": ended if state == batches_pb2.BATCH_STATE_COMPLETED else None,
        "failed_at": ended if state == batches_pb2.BATCH_STATE_FAILED else None,
        "expired_at": ended if state == batches_pb2.BATCH_STATE_EXPIRED else None,
        "cancelling_at": batch.cancel_time.seconds or None,
        "cancelled_at": ended if state == batches_pb2.BATCH_STATE_CANCELLED else None,
        "request_counts": {"total": counts.processing + counts.succeeded + failed, "completed": counts.succeeded, "failed": failed},
        "usage": _usage(batch.usage),
        "metadata": dict(batch.metadata) or None,
    }


def _request(body: dict[str, Any]) -> batches_pb2.CreateBatchRequest:
    """The typed request. INVALID_FIELD names what is wrong."""
    for key in body:
        if key not in _CREATED:
            raise invalid(key, f"unknown; expected one of {', '.join(sorted(_CREATED))}")
    endpoint = body.get("endpoint")
    if not isinstance(endpoint, str) or endpoint not in ENDPOINTS:
        raise invalid("endpoint", f"required: one of {', '.join(ENDPOINTS)}")
    if body.get("completion_window") != _WINDOW:
        raise invalid("completion_window", f'required: "{_WINDOW}"')
    identity, metadata = body.get("input_file_id"), body.get("metadata") or {}
    if not isinstance(identity, str) or not identity:
        raise invalid("input_file_id", "required: the id of a file with the purpose batch")
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise invalid("metadata", "expected an object of strings")
    return batches_pb2.CreateBatchRequest(endpoint=ENDPOINTS[endpoint], input_file=identity, metadata=metadata)


def _ours(identity: str) -> str:
    return _OURS + identity.removeprefix(_OWN) if identity.startswith(_OWN) else identity


def _errors(batch: batches_pb2.Batch) -> dict[str, object] | None:
    if not batch.errors:
        return None
    data = [{"code": each.code, "line": each.line or None, "message": each.message, "param": each.field or None} for each in batch.errors]
    return {"object": "list", "data": data}


def _usage(usage: batches_pb2.BatchUsage) -> dict[str, object]:
    charged = {money.currency: decimal(money.nanos) for money in usage.charged}
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_input_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
        **({"llm_mesh": {"charged": charged}} if charged else {}),
    }
