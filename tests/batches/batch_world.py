"""The service over a store of a test, with a gateway and a policy that are played."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from llm_mesh.batches.v1 import batches_pb2, files_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_batches.domain.batches import Batches
from llm_mesh_batches.domain.delegated import DelegatedCredentials
from llm_mesh_batches.domain.files import Files
from llm_mesh_batches.domain.line_work import LineWork
from llm_mesh_batches.domain.reading import FileReader
from llm_mesh_batches.domain.tenants import ResourceIds, Tenant
from llm_mesh_batches.domain.worker import Worker
from llm_mesh_batches.settings import Settings
from llm_mesh_batches.store.batches import SqlBatches
from llm_mesh_batches.store.files import SqlFiles
from llm_mesh_batches.store.housekeeping import SqlHousekeeping
from llm_mesh_batches.store.queue import SqlQueue
from llm_mesh_batches.store.reading import SqlReading
from llm_mesh_batches.store.vault import Vault
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.heavy import HeavyWork
from llm_mesh_runtime.signed_ids import SignedIds
from tests.databases import migrated
from tests.recorded import outbox_of

SECRET = b"a sealing key of tests, 32 bytes"
TENANT = Tenant("domains/claims", "domains/claims/projects/triage")
FOREIGN = Tenant("domains/other", "domains/other/projects/triage")
CALLER = resources_pb2.Sealed(payload=b"ana")
CHAT = batches_pb2.BATCH_ENDPOINT_CHAT_COMPLETIONS
MESSAGES = batches_pb2.BATCH_ENDPOINT_MESSAGES
_MICROSECOND = timedelta(microseconds=1)


class PlayedPolicy:
    """Makes a delegation of any caller, and credentials of it until it is revoked."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.purposes: list[str] = []

    async def create(self, caller: resources_pb2.Sealed, expires: datetime, purpose: str) -> bytes:
        del expires
        self.purposes.append(purpose)
        return b"delegation of " + caller.payload

    async def redeem(self, delegation: bytes) -> policy_pb2.RedeemDelegationResponse:
        if self.refusal is not None:
            raise self.refusal
        answer = policy_pb2.RedeemDelegationResponse(credential="md_" + delegation.hex())
        answer.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=29))
        return answer


@dataclass
class PlayedGateway:
    """Answers with what was said; charges each idempotency key once, and keeps its answer."""

    behave: Callable[[str, int], Exception | None] = lambda *_: None
    """What a text fails with at its attempt, from 1."""
    attempts: dict[str, int] = field(default_factory=dict)
    charged: dict[str, int] = field(default_factory=dict)
    credentials: set[str] = field(default_factory=set)

    async def generate(self, request: gateway_pb2.GenerateRequest, call: Mapping[str, str]) -> gateway_pb2.GenerateResponse:
        said = request.input.messages[-1].parts[0].text.text
        key = request.options.idempotency_key
        self.attempts[said] = self.attempts.get(said, 0) + 1
        self.credentials.add(call["authorization"])
        failure = self.behave(said, self.attempts[said])
        if failure is not None:
            raise failure
        answer = gateway_pb2.GenerateResponse()
        answer.receipt.charged.currency = "USD"
        if key in self.charged:
            answer.receipt.replayed = True
            answer.receipt.first.charged.currency, answer.receipt.first.charged.nanos = "USD", 5
        else:
            self.charged[key] = 5
            answer.receipt.charged.nanos = 5
        answer.output.model = request.input.model
        answer.output.usage.input_tokens, answer.output.usage.output_tokens = 3, 2
        choice = answer.output.choices.add()
        choice.message.parts.add().text.text = said
        return answer

    async def embed(self, request: gateway_pb2.EmbedRequest, call: Mapping[str, str]) -> gateway_pb2.EmbedResponse:
        del call
        answer = gateway_pb2.EmbedResponse()
        for index, _ in enumerate(request.input.items):
            answer.output.embeddings.add(index=index, values=[0.5, 0.25])
        return answer


@dataclass
class Instance:
    """One instance of the service."""

    database: Database
    files: Files
    batches: Batches
    file_store: SqlFiles
    batch_store: SqlBatches
    queue: SqlQueue
    reading: SqlReading
    reader: FileReader
    lines: LineWork
    worker: Worker
    housekeeping: SqlHousekeeping
    ids: ResourceIds
    owner: str

    async def uploaded(self, content: bytes, *, tenant: Tenant = TENANT, purpose: int = files_pb2.FILE_PURPOSE_BATCH) -> files_pb2.File:
        return await self.files.upload(tenant, messages(content, purpose))

    async def begun(self, count: int = 3, *, endpoint: int = CHAT, tenant: Tenant = TENANT) -> batches_pb2.Batch:
        """A batch of requests that say `say 1`, `say 2` and so on."""
        request = batches_pb2.CreateBatchRequest(endpoint=endpoint)  # type: ignore[arg-type]
        for number in range(1, count + 1):
            request.requests.requests.add(custom_id=f"c{number}", body_json=json.dumps(body(f"say {number}")).encode())
        return await self.batches.create(tenant, CALLER, request)

    async def of_file(self, content: bytes, endpoint: int = CHAT) -> batches_pb2.Batch:
        """A batch whose file was read."""
        file = await self.uploaded(content)
        request = batches_pb2.CreateBatchRequest(endpoint=endpoint, input_file=file.id)  # type: ignore[arg-type]
        batch = await self.batches.create(TENANT, CALLER, request)
        for active in await self.queue.active():
            await self.reader.read(active)
        return await self.batches.get(TENANT, batch.id)

    async def worked_off(self, batch: batches_pb2.Batch, tenant: Tenant = TENANT) -> batches_pb2.Batch:
        """The batch once it has ended, by one round after another."""
        present = batch
        for _ in range(200):
            await self.worker.round()
            await self.worker.idle()
            present = await self.batches.get(tenant, batch.id)
            if present.HasField("end_time"):
                return present
        raise AssertionError(f"the batch does not end: {present}")

    async def results(self, batch: batches_pb2.Batch) -> list[batches_pb2.LineResult]:
        return [result async for message in self.batches.results(TENANT, batch.id) for result in message.results]

    async def content(self, identity: str, tenant: Tenant = TENANT) -> bytes:
        return b"".join([message.content async for message in self.files.download(tenant, identity)])


async def messages(content: bytes, purpose: int = files_pb2.FILE_PURPOSE_BATCH) -> AsyncIterator[files_pb2.UploadFileRequest]:
    """An upload."""
    yield files_pb2.UploadFileRequest(start=files_pb2.UploadStart(filename="in.jsonl", purpose=purpose))  # type: ignore[arg-type]
    for begin in range(0, len(content), 1 << 20):
        yield files_pb2.UploadFileRequest(content=content[begin : begin + (1 << 20)])


def body(said: str) -> dict[str, Any]:
    """The body of a line."""
    return {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": said}]}


def line(custom_id: object = "c1", said: str = "say 1", *, url: str = "/v1/chat/completions", **changed: object) -> bytes:
    """A line of a file."""
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": url, "body": body(said), **changed}).encode()


def jsonl(lines: Sequence[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n"


@asynccontextmanager
async def instance(
    database: Database, *, gateway: PlayedGateway | None = None, policy: PlayedPolicy | None = None, owner: str = "one", **changed: Any
) -> AsyncIterator[Instance]:
    """An instance over a store; `changed` are settings."""
    await migrated(database, "llm_mesh_batches.store.migrations")
    settings, heavy, clock = Settings(**changed), HeavyWork(1 << 28), SystemClock()
    outbox, vault, ids = outbox_of(database), Vault(SECRET), ResourceIds(SignedIds(SECRET, "batches"))
    keep, most, lease = settings.keep_results // _MICROSECOND, settings.project_bytes, settings.lease.total_seconds()
    file_store = SqlFiles(database, outbox, vault, settings.quotas, most)
    batch_store = SqlBatches(database, outbox, vault, settings.quotas, most_bytes=most, keep_results=keep)
    queue = SqlQueue(database, vault, keep_results=keep)
    reading = SqlReading(database, vault, keep_results=keep, most_bytes=most)
    reader = FileReader(
        file_store, reading, heavy, owner=owner, seconds=lease, most_lines=settings.most_lines, line_bytes=settings.line_bytes
    )
    policy = policy or PlayedPolicy()
    lines = LineWork(queue, gateway or PlayedGateway(), DelegatedCredentials(policy, clock), heavy, owner=owner, attempts=settings.attempts)
    housekeeping = SqlHousekeeping(database)
    worker = Worker(
        queue,
        lines,
        reader,
        housekeeping,
        owner=owner,
        places=settings.at_once,
        project_places=settings.project_at_once,
        lease=lease,
        busy=lambda: False,
    )
    batches = Batches(
        batch_store,
        ids,
        policy,
        heavy,
        clock=clock,
        window=settings.window,
        line_bytes=settings.line_bytes,
        created=worker.wake,
    )
    files = Files(file_store, batch_store, ids, most_bytes=settings.file_bytes, keep=settings.keep_files)
    try:
        yield Instance(database, files, batches, file_store, batch_store, queue, reading, reader, lines, worker, housekeeping, ids, owner)
    finally:
        await worker.close()
        heavy.close()
