"""Rows of batches and lines, as messages of the contract, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Row

from llm_mesh.batches.v1 import batches_pb2
from llm_mesh_batches.domain.ports import NewLine
from llm_mesh_batches.domain.tenants import Tenant
from llm_mesh_batches.store.vault import Vault

WORDS, DELEGATION, CUSTOM_ID, BODY, RESULT = "words", "delegation", "custom id", "body", "result"
"""Kinds of what is sealed."""
_TIMES = (
    ("started", "start_time"),
    ("cancelled_at", "cancel_time"),
    ("ended", "end_time"),
    ("deletes", "delete_time"),
    ("results_deleted", "results_delete_time"),
)


def noted(row: Row[Any]) -> batches_pb2.Batch:
    """A batch without what its owner wrote, as the audit trail has a digest of it."""
    batch = batches_pb2.Batch(id=row.id, endpoint=row.endpoint, state=row.state, input_file=row.input_file)
    batch.create_time.FromMicroseconds(row.created)
    batch.expire_time.FromMicroseconds(row.expires)
    return batch


def batch_of(vault: Vault, row: Row[Any]) -> batches_pb2.Batch:
    """A whole batch."""
    batch = noted(row)
    words = vault.opened(row.words, Tenant(row.domain, row.project), WORDS, row.id)
    batch.MergeFrom(batches_pb2.Batch.FromString(words))
    for column, field in _TIMES:
        if moment := getattr(row, column):
            getattr(batch, field).FromMicroseconds(moment)
    if row.ended:
        batch.output_file = row.output_file if row.output_bytes else ""
        batch.error_file = row.error_file if row.error_bytes else ""
    counts = batch.counts
    counts.succeeded, counts.failed, counts.cancelled, counts.expired = row.succeeded, row.failed, row.cancelled, row.expired
    counts.processing = row.total - row.succeeded - row.failed - row.cancelled - row.expired
    usage = batch.usage
    usage.input_tokens, usage.cached_input_tokens = row.input_tokens, row.cached_input_tokens
    usage.output_tokens, usage.reasoning_tokens = row.output_tokens, row.reasoning_tokens
    for currency, nanos in sorted(orjson.loads(row.charged).items()):
        usage.charged.add(currency=currency, nanos=nanos)
    return batch


def line_rows(vault: Vault, tenant: Tenant, batch: str, lines: Sequence[NewLine]) -> list[dict[str, Any]]:
    """New lines, sealed."""
    return [
        {
            **tenant._asdict(),
            "batch": batch,
            "number": line.number,
            "digest": vault.digest(tenant, batch, line.custom_id),
            "custom_id": vault.closed(line.custom_id.encode(), tenant, CUSTOM_ID, batch, str(line.number)),
            "body": vault.closed(line.body, tenant, BODY, batch, str(line.number)),
        }
        for line in lines
    ]
