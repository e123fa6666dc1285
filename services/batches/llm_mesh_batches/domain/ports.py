"""What batches needs from outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from llm_mesh.batches.v1 import batches_pb2, files_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_batches.domain.tenants import Tenant
from llm_mesh_runtime.resources import Page


class ListQuery(NamedTuple):
    """Which part of a list: its page, what is listed, behind which id, in which order."""

    page: Page
    kind: int
    after: str
    ascending: bool


class NewLine(NamedTuple):
    """A line that is to be stored."""

    number: int
    custom_id: str
    body: bytes


class ActiveBatch(NamedTuple):
    """A batch that has not ended, as whoever works it off needs it."""

    tenant: Tenant
    id: str
    endpoint: int
    state: int
    input_file: str
    expires: int
    now: int
    """The store's time. Microseconds since 1970 UTC, like `expires`."""


class ClaimedLine(NamedTuple):
    """A line that this instance works off."""

    tenant: Tenant
    batch: str
    endpoint: int
    delegation: bytes
    number: int
    attempts: int
    custom_id: str
    body: bytes


@dataclass(slots=True)
class EndedLine:
    """How a line has ended, and what it has used."""

    result: batches_pb2.LineResult
    written: int = 0
    """Bytes of the result in an output file."""
    usage: batches_pb2.BatchUsage = field(default_factory=batches_pb2.BatchUsage)


class FileStore(Protocol):
    """Where files are kept."""

    async def begin(self, tenant: Tenant, file: files_pb2.File, keep: int) -> None:
        """Begins an upload. QUOTA_EXCEEDED where there are too many files, or too many bytes. `keep` is in microseconds."""

    async def append(self, tenant: Tenant, identity: str, number: int, content: bytes) -> None:
        """Adds the next piece. QUOTA_EXCEEDED where the project has too many bytes; FILE_NOT_FOUND where the upload was given up."""

    async def finish(self, tenant: Tenant, identity: str, purpose: int, keep: int) -> files_pb2.File:
        """The file is there from now on. `keep` is in microseconds."""

    async def discard(self, tenant: Tenant, identity: str) -> None:
        """Gives up an upload."""

    async def get(self, tenant: Tenant, identity: str) -> files_pb2.File | None:
        """The file; None where there is none, or it is not whole."""

    async def page(self, tenant: Tenant, query: ListQuery) -> Sequence[files_pb2.File]:
        """Some files and one more. FILE_NOT_FOUND where there is none to be behind of."""

    async def delete(self, tenant: Tenant, identity: str) -> None:
        """Deletes it. FILE_NOT_FOUND, FILE_IN_USE."""

    async def piece(self, tenant: Tenant, identity: str, number: int) -> bytes | None:
        """A piece; None behind the last one."""


class BatchStore(Protocol):
    """Where batches are kept."""

    async def create(
        self, tenant: Tenant, batch: batches_pb2.Batch, delegation: bytes, lines: Sequence[NewLine], *, window: int
    ) -> batches_pb2.Batch:
        """Keeps a batch, with its lines where it has no file. `window` is in microseconds. QUOTA_EXCEEDED, FILE_NOT_FOUND."""

    async def get(self, tenant: Tenant, identity: str) -> batches_pb2.Batch | None:
        """The batch; None where there is none."""

    async def page(self, tenant: Tenant, query: ListQuery) -> Sequence[batches_pb2.Batch]:
        """Some batches and one more. BATCH_NOT_FOUND where there is none to be behind of."""

    async def cancel(self, tenant: Tenant, identity: str) -> batches_pb2.Batch:
        """Stops it. BATCH_NOT_FOUND, BATCH_ENDED."""

    async def delete(self, tenant: Tenant, identity: str) -> None:
        """Deletes it. BATCH_NOT_FOUND, BATCH_NOT_ENDED."""

    async def results(self, tenant: Tenant, identity: str, after: int, *, parts: Sequence[int] = ()) -> Sequence[StoredResult]:
        """The next results behind a place, of about 256 KiB or one; `parts` names the outcomes, empty: all."""


class StoredResult(NamedTuple):
    """A result and its place in the order in which lines have ended."""

    sequence: int
    number: int
    result: batches_pb2.LineResult


class QueueStore(Protocol):
    """The queue of lines."""

    async def active(self) -> Sequence[ActiveBatch]:
        """Batches that have not ended, at most 1,000: the oldest of each project, then the second oldest of each, and so on."""

    async def claim(self, batch: ActiveBatch, owner: str, most: int, seconds: float) -> Sequence[ClaimedLine]:
        """Takes lines to work off: those that wait, or, where the batch stops, those whose owner is gone."""

    async def renew(self, owner: str, lines: Mapping[str, Collection[int]], seconds: float) -> None:
        """These lines of the owner stay its own: by batch, their numbers. All others go to whoever takes them once their lease is over."""

    async def postpone(self, line: ClaimedLine, owner: str, seconds: float, *, counts: bool) -> None:
        """Puts a line back, to be taken in some seconds. `counts`: it was tried."""

    async def end(self, line: ClaimedLine, ended: EndedLine) -> bool:
        """Keeps a result. False where the line has one already, or is gone."""

    async def stop(self, batch: ActiveBatch, state: int) -> None:
        """The batch's time is over, or it is cancelled: `state` is what it is until its lines have ended."""

    async def sweep(self, batch: ActiveBatch) -> bool:
        """Ends some lines of a batch that stops, of those that nobody works off. False where none is left."""

    async def release(self, owner: str = "") -> None:
        """The owner has ended: its lines are anybody's. Empty: all owners have."""


class ReadingStore(Protocol):
    """Batches whose files are read."""

    async def begin(self, batch: ActiveBatch, owner: str, seconds: float) -> bool:
        """Reads it from now on, from the first line. False where another instance does, or it is not to be read any more."""

    async def add(self, batch: ActiveBatch, owner: str, lines: Sequence[NewLine], seconds: float) -> Sequence[int] | None:
        """Adds lines; answers the numbers of those whose custom id is there already. None where the batch is not its own any more."""

    async def finish(self, batch: ActiveBatch, owner: str, errors: Sequence[batches_pb2.LineError]) -> None:
        """All lines are there, or the file is wrong."""


class Housekeeping(Protocol):
    """What is deleted by itself."""

    async def purge(self) -> int:
        """Deletes some of what has expired; answers how much it was."""


class LineGateway(Protocol):
    """Answers requests with the rights of a credential."""

    async def generate(self, request: gateway_pb2.GenerateRequest, call: Mapping[str, str]) -> gateway_pb2.GenerateResponse:
        """An answer. Raises `MeshError`."""

    async def embed(self, request: gateway_pb2.EmbedRequest, call: Mapping[str, str]) -> gateway_pb2.EmbedResponse:
        """Vectors. Raises `MeshError`."""


class CallerDelegations(Protocol):
    """Policy, which lets a service act for a caller."""

    async def create(self, caller: resources_pb2.Sealed, expires: datetime, purpose: str) -> bytes:
        """A delegation. Raises `MeshError`."""

    async def redeem(self, delegation: bytes) -> policy_pb2.RedeemDelegationResponse:
        """A credential of it. Raises `MeshError`."""
