"""Works off one line: asks the gateway once, and keeps how it ended, or puts the line back."""

from __future__ import annotations

import asyncio
import random

import orjson

from llm_mesh.batches.v1 import batches_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_batches.domain.delegated import DelegatedCredentials
from llm_mesh_batches.domain.endpoints import ENDPOINTS, BatchLineEndpoint, LineAnswer
from llm_mesh_batches.domain.failures import FailureWords, Repetition, charge_of, repetition_of, words_of
from llm_mesh_batches.domain.ports import ClaimedLine, EndedLine, LineGateway, QueueStore
from llm_mesh_batches.domain.results import written_size
from llm_mesh_dialects.errors import DialectError
from llm_mesh_runtime.backoff import Backoff, step
from llm_mesh_runtime.errors import MeshError, internal
from llm_mesh_runtime.heavy import HeavyWork
from llm_mesh_runtime.log import get_logger

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_LARGE = 64 * 1024
_OK, _UNTRANSLATABLE = 200, 502
_STORE_TRIES = 20


class LineWork:
    """Works off lines, one call each."""

    def __init__(
        self,
        store: QueueStore,
        gateway: LineGateway,
        credentials: DelegatedCredentials,
        heavy: HeavyWork,
        *,
        owner: str,
        attempts: int,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._credentials = credentials
        self._heavy = heavy
        self._owner = owner
        self._attempts = attempts

    async def work(self, line: ClaimedLine) -> float:
        """Works it off. Answers for how many seconds the project is to wait before its next line: 0 as a rule."""
        request_id = f"{line.batch}-{line.number}"
        endpoint = ENDPOINTS[line.endpoint]
        try:
            ended = await self._answered(line, endpoint, request_id)
        except DialectError as error:
            ended = _failed(line, endpoint, words_of(error, request_id))
        except MeshError as error:
            repetition = repetition_of(error)
            if repetition is not None and (not repetition.counts or line.attempts + 1 < self._attempts):
                return await self._put_back(line, error, repetition)
            ended = _failed(line, endpoint, words_of(error, request_id), charge_of(error))
        except Exception as defect:  # noqa: BLE001 (one line must not stop the others)
            get_logger().error("a line of a batch failed by a defect", batch=line.batch, line=line.number, exc_info=defect)
            ended = _failed(line, endpoint, words_of(internal(), request_id))
        ended.written = written_size(line.batch, line.number, ended.result)
        await self._keep(line, ended)
        return 0.0

    async def _answered(self, line: ClaimedLine, endpoint: BatchLineEndpoint, request_id: str) -> EndedLine:
        key = f"batch/{line.batch}/{line.number}"
        number = f"{line.batch.removeprefix('batch-')[:24]}{line.number}"
        if len(line.body) <= _LARGE:
            request = endpoint.read(line.body, key, number)
        else:
            request = await self._heavy.follow(line.tenant.domain, len(line.body), lambda: endpoint.read(line.body, key, number))
        credential = await self._credentials.of(line.delegation)
        answer = await request.ask(self._gateway, {"authorization": f"Bearer {credential}", "x-request-id": request_id})
        usage = _usage(answer)
        try:
            if answer.size <= _LARGE:
                body = answer.body()
            else:
                body = await self._heavy.follow(line.tenant.domain, answer.size, answer.body)
        except DialectError as error:
            message = f"the answer cannot be told in this dialect: {error}"
            return _failed(line, endpoint, FailureWords(_UNTRANSLATABLE, "not_translatable", message, request_id=request_id), usage)
        succeeded = batches_pb2.LINE_OUTCOME_SUCCEEDED
        result = batches_pb2.LineResult(custom_id=line.custom_id, outcome=succeeded, status_code=_OK, request_id=request_id, body_json=body)
        return EndedLine(result, usage=usage)

    async def _put_back(self, line: ClaimedLine, error: MeshError, repetition: Repetition) -> float:
        pause = max(error.retry_after or 0.0, step(_FIRST_PAUSE, _LONGEST_PAUSE, line.attempts)) * random.uniform(1.0, 1.5)  # noqa: S311 (no secret)
        await self._store.postpone(line, self._owner, pause, counts=repetition.counts)
        return pause if repetition.yields else 0.0

    async def _keep(self, line: ClaimedLine, ended: EndedLine) -> None:
        """Keeps the result. Where the store does not for long, the line is repeated under the same key once its lease is over."""
        backoff = Backoff(0.1, 5.0)
        for _ in range(_STORE_TRIES):
            try:
                await self._store.end(line, ended)
            except MeshError as error:
                get_logger().warning("the result of a line is not kept yet", batch=line.batch, line=line.number, error=str(error))
                await asyncio.sleep(backoff.pause())
            else:
                return


def _failed(line: ClaimedLine, endpoint: BatchLineEndpoint, words: FailureWords, usage: batches_pb2.BatchUsage | None = None) -> EndedLine:
    result = batches_pb2.LineResult(
        custom_id=line.custom_id,
        outcome=batches_pb2.LINE_OUTCOME_FAILED,
        status_code=words.status,
        request_id=words.request_id,
        body_json=orjson.dumps(endpoint.failure(words)),
    )
    return EndedLine(result, usage=usage or batches_pb2.BatchUsage())


def _usage(answer: LineAnswer) -> batches_pb2.BatchUsage:
    """What an answer used. A repetition was charged as its first request, which is the line's own."""
    used = answer.usage
    usage = batches_pb2.BatchUsage(
        input_tokens=used.input_tokens,
        cached_input_tokens=used.cached_input_tokens,
        output_tokens=used.output_tokens,
        reasoning_tokens=used.reasoning_output_tokens,
    )
    receipt: gateway_pb2.Receipt = answer.receipt
    charged = receipt.first.charged if receipt.replayed else receipt.charged
    if charged.nanos:
        usage.charged.append(charged)
    return usage
