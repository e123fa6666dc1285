"""The service, put together."""

from __future__ import annotations

import secrets
from datetime import timedelta

from llm_mesh.batches.v1 import batches_pb2_grpc, files_pb2_grpc
from llm_mesh_batches.domain.batches import Batches
from llm_mesh_batches.domain.delegated import DelegatedCredentials
from llm_mesh_batches.domain.files import Files
from llm_mesh_batches.domain.line_work import LineWork
from llm_mesh_batches.domain.reading import FileReader
from llm_mesh_batches.domain.tenants import ResourceIds
from llm_mesh_batches.domain.worker import Worker
from llm_mesh_batches.peers import DelegationPeer, LineGatewayPeer
from llm_mesh_batches.servicer import BatchServicer, FileServicer
from llm_mesh_batches.settings import Settings
from llm_mesh_batches.store.batches import SqlBatches
from llm_mesh_batches.store.files import SqlFiles
from llm_mesh_batches.store.housekeeping import SqlHousekeeping
from llm_mesh_batches.store.queue import SqlQueue
from llm_mesh_batches.store.reading import SqlReading
from llm_mesh_batches.store.vault import Vault
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.database import check, migrate
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.outbox import Outbox, RecordingPeer
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.service_secret import service_secret
from llm_mesh_runtime.signed_ids import SignedIds

_MIGRATIONS = "llm_mesh_batches.store.migrations"
_KEY, _KEY_FILE = "LLM_MESH_BATCHES_SEALING_KEY", "batches.key"
_MICROSECOND = timedelta(microseconds=1)


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the service together."""
    database = links.database("batches")
    secret = service_secret(settings.sealing_key, links, variable=_KEY, file=_KEY_FILE, loss="without it no file can be read")
    vault, ids, clock = Vault(secret), ResourceIds(SignedIds(secret, "batches")), SystemClock()
    outbox = Outbox(database, RecordingPeer(links.channel("policy")))
    delegations, gateway = DelegationPeer(links.channel("policy")), LineGatewayPeer(links.channel("gateway"), settings.line_deadline)
    owner, lease = secrets.token_hex(16), settings.lease.total_seconds()
    most_bytes, keep_results = settings.project_bytes, settings.keep_results // _MICROSECOND

    files = SqlFiles(database, outbox, vault, settings.quotas, most_bytes)
    batches = SqlBatches(database, outbox, vault, settings.quotas, most_bytes=most_bytes, keep_results=keep_results)
    queue = SqlQueue(database, vault, keep_results=keep_results)
    reading = SqlReading(database, vault, keep_results=keep_results, most_bytes=most_bytes)
    reader = FileReader(
        files, reading, links.heavy, owner=owner, seconds=lease, most_lines=settings.most_lines, line_bytes=settings.line_bytes
    )
    credentials = DelegatedCredentials(delegations, clock)
    lines = LineWork(queue, gateway, credentials, links.heavy, owner=owner, attempts=settings.attempts)
    worker = Worker(
        queue,
        lines,
        reader,
        SqlHousekeeping(database),
        owner=owner,
        places=settings.at_once,
        project_places=settings.project_at_once,
        lease=lease,
        busy=lambda: links.pressure.high,
    )
    jobs = Batches(
        batches,
        ids,
        delegations,
        links.heavy,
        clock=clock,
        window=settings.window,
        line_bytes=settings.line_bytes,
        created=worker.wake,
    )

    async def start() -> None:
        await (migrate if links.mesh.embedded else check)(database, _MIGRATIONS)
        if links.embedded:
            await queue.release()  # whoever had lines was an earlier process with the same data directory, which is gone
        outbox.start()
        worker.start()

    async def close() -> None:
        await worker.close()
        await outbox.close()
        await database.close()

    return Servicers(
        (batches_pb2_grpc.add_BatchServiceServicer_to_server, BatchServicer(jobs)),
        (
            files_pb2_grpc.add_FileServiceServicer_to_server,
            FileServicer(Files(files, batches, ids, most_bytes=settings.file_bytes, keep=settings.keep_files)),
        ),
        ready=database.ready,
        start=start,
        close=close,
    )


service = Service.declared("batches", settings=Settings, build=build)
