"""`/v1/messages/batches`: many requests at once, answered within a day."""

from __future__ import annotations

from typing import Any

import orjson

from llm_mesh.batches.v1 import batches_pb2
from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.ports import BatchesClient
from llm_mesh_edge.domain.queries import Query
from llm_mesh_edge.http.anthropic.betas import with_betas
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.downloads import download
from llm_mesh_edge.http.exchange import HttpExchange, ProblemError
from llm_mesh_edge.http.resource_paths import identity_in, name_fields
from llm_mesh_runtime.errors import invalid

PATH = "/v1/messages/batches"
_CANCEL, _RESULTS = "/cancel", "/results"
_OWN, _OURS = "msgbatch_", "batch-"
_JSONL = b"application/x-jsonl"
_FIELDS = {"page_size": "limit", "requests.requests": "requests"}
_MOST_LISTED = 1_000
_STATES = {batches_pb2.BATCH_STATE_CANCELLING: "canceling"}
_OUTCOMES = {batches_pb2.LINE_OUTCOME_CANCELLED: "canceled", batches_pb2.LINE_OUTCOME_EXPIRED: "expired"}


class MessageBatches:
    """Creates, shows, lists, stops and deletes batches of messages, and hands out their results."""

    def __init__(self, batches: BatchesClient, bodies: Bodies) -> None:
        self._batches = batches
        self._bodies = bodies

    async def create(self, exchange: HttpExchange) -> None:
        """Begins a batch of the requests in the body."""
        name_fields(exchange, _FIELDS)
        body, size = await self._bodies.read(exchange)
        request = await self._bodies.worked(exchange, size, lambda: _request(body, exchange.headers))
        batch = await self._batches.create(request, exchange.headers.metadata())
        await exchange.answer_json(batch_object(batch))

    async def all(self, exchange: HttpExchange) -> None:
        """A page of batches, newest first, behind or before one of them."""
        name_fields(exchange, _FIELDS)
        query = Query(exchange.query)
        after, before = (_ours(query.text(name)) for name in ("after_id", "before_id"))
        if after and before:
            raise invalid("before_id", "not possible together with after_id")
        request = batches_pb2.ListBatchesRequest(
            page_size=query.whole("limit", 20, _MOST_LISTED),
            endpoint=batches_pb2.BATCH_ENDPOINT_MESSAGES,
            after=after or before,
            ascending=bool(before),
        )
        answer = await self._batches.batches(request, exchange.headers.metadata())
        data = [batch_object(each) for each in (reversed(answer.batches) if before else answer.batches)]
        first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
        more = bool(answer.next_page_token)
        await exchange.answer_json({"data": data, "first_id": first, "last_id": last, "has_more": more})

    async def one(self, exchange: HttpExchange) -> None:
        """How far a batch is."""
        await exchange.answer_json(batch_object(await self._of_messages(exchange, identity_in(exchange, f"{PATH}/"))))

    async def cancel(self, exchange: HttpExchange) -> None:
        """Stops a batch. One that has ended is answered as it is."""
        batch = await self._of_messages(exchange, identity_in(exchange, f"{PATH}/", _CANCEL))
        if not batch.HasField("end_time"):
            batch = await self._batches.cancel(batch.id, exchange.headers.metadata())
        await exchange.answer_json(batch_object(batch))

    async def delete(self, exchange: HttpExchange) -> None:
        """Deletes a batch that has ended, with its results."""
        batch = await self._of_messages(exchange, identity_in(exchange, f"{PATH}/"))
        await self._batches.delete(batch.id, exchange.headers.metadata())
        await exchange.answer_json({"id": _own(batch.id), "type": "message_batch_deleted"})

    async def results(self, exchange: HttpExchange) -> None:
        """The results, as fast as the client takes them."""
        batch = await self._of_messages(exchange, identity_in(exchange, f"{PATH}/", _RESULTS))
        stream = self._batches.results(batch.id, exchange.headers.metadata())
        await download(exchange, self._bodies, stream, _written, lambda message: message.ByteSize(), media_type=_JSONL)

    async def _of_messages(self, exchange: HttpExchange, identity: str) -> batches_pb2.Batch:
        """The batch, where it is one of messages; others are not known to this dialect."""
        batch = await self._batches.batch(_ours(identity), exchange.headers.metadata())
        if batch.endpoint != batches_pb2.BATCH_ENDPOINT_MESSAGES:
            raise ProblemError(Failure(404, "batch_not_found", "there is no such batch in this project", "batch"))
        return batch


def batch_object(batch: batches_pb2.Batch) -> dict[str, Any]:
    """A batch in Anthropic's shape."""
    ended, counts = batch.HasField("end_time"), batch.counts
    status = "ended" if ended else _STATES.get(batch.state, "in_progress")
    return {
        "id": _own(batch.id),
        "type": "message_batch",
        "processing_status": status,
        "request_counts": {
            "processing": counts.processing,
            "succeeded": counts.succeeded,
            "errored": counts.failed,
            "canceled": counts.cancelled,
            "expired": counts.expired,
        },
        "created_at": batch.create_time.ToJsonString(),
        "expires_at": batch.expire_time.ToJsonString(),
        "ended_at": batch.end_time.ToJsonString() if ended else None,
        "cancel_initiated_at": batch.cancel_time.ToJsonString() if batch.HasField("cancel_time") else None,
        "archived_at": batch.results_delete_time.ToJsonString() if batch.HasField("results_delete_time") else None,
        "results_url": f"{PATH}/{_own(batch.id)}{_RESULTS}" if ended else None,
    }


def _request(body: dict[str, Any], headers: Headers) -> batches_pb2.CreateBatchRequest:
    """The typed request. INVALID_FIELD names what is wrong."""
    for key in body:
        if key != "requests":
            raise invalid(key, "unknown; expected requests")
    requests = body.get("requests")
    if not isinstance(requests, list) or not requests:
        raise invalid("requests", "required: a list of requests")
    request = batches_pb2.CreateBatchRequest(endpoint=batches_pb2.BATCH_ENDPOINT_MESSAGES)
    for index, each in enumerate(requests):
        place = f"requests[{index}]"
        if not isinstance(each, dict):
            raise invalid(place, 'expected an object such as {"custom_id": …, "params": {…}}')
        custom_id, params = each.get("custom_id"), each.get("params")
        if not isinstance(custom_id, str):
            raise invalid(f"{place}.custom_id", "required: a string")
        if not isinstance(params, dict):
            raise invalid(f"{place}.params", "required: the body of a request to /v1/messages")
        request.requests.requests.add(custom_id=custom_id, body_json=orjson.dumps(with_betas(params, headers)))
    return request


def _written(message: batches_pb2.ReadResultsResponse) -> bytes:
    return b"".join([orjson.dumps({"custom_id": each.custom_id, "result": _result(each)}) + b"\n" for each in message.results])


def _result(result: batches_pb2.LineResult) -> dict[str, object]:
    if result.outcome == batches_pb2.LINE_OUTCOME_SUCCEEDED:
        return {"type": "succeeded", "message": orjson.Fragment(result.body_json)}
    if result.outcome == batches_pb2.LINE_OUTCOME_FAILED:
        return {"type": "errored", "error": orjson.Fragment(result.body_json)}
    return {"type": _OUTCOMES.get(result.outcome, "expired")}


def _own(identity: str) -> str:
    return _OWN + identity.removeprefix(_OURS)


def _ours(identity: str) -> str:
    return _OURS + identity.removeprefix(_OWN) if identity.startswith(_OWN) else identity
