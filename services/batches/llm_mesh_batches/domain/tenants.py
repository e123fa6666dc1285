"""Whose files and batches: the project of the caller's credential, and ids that are valid in it alone."""

from __future__ import annotations

from typing import NamedTuple

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_batches.domain.errors import batch_not_found, file_not_found, project_not_selected
from llm_mesh_runtime.context import Caller
from llm_mesh_runtime.signed_ids import SignedIds

FILE, BATCH = "file-", "batch-"
"""How ids begin."""


class Tenant(NamedTuple):
    """A project, within its domain. Part of every key."""

    domain: str
    project: str

    def resource(self, collection: str, identity: str) -> str:
        """The name of one of its resources, for the audit trail."""
        return f"{self.project}/{collection}/{identity}"


def tenant_of(caller: Caller) -> Tenant:
    """The tenant of a caller; PROJECT_NOT_SELECTED where its credential spans projects, and none was selected."""
    if not caller.domain or not caller.project:
        raise project_not_selected()
    return Tenant(caller.domain, caller.project)


def sealed_caller(caller: Caller) -> resources_pb2.Sealed:
    """The caller as policy sealed it: what a delegation is made of."""
    if caller.sealed is None:
        raise project_not_selected()
    return caller.sealed


class ResourceIds:
    """Ids of files and batches."""

    def __init__(self, ids: SignedIds) -> None:
        self._ids = ids

    def new_file(self, tenant: Tenant) -> str:
        """An id for a file."""
        return self._ids.new(FILE, *tenant)

    def new_batch(self, tenant: Tenant) -> str:
        """An id for a batch."""
        return self._ids.new(BATCH, *tenant)

    def file(self, tenant: Tenant, text: str, field: str = "file") -> str:
        """The id, where it can be one of the tenant's files; FILE_NOT_FOUND otherwise."""
        if not self._ids.valid(text, FILE, *tenant):
            raise file_not_found(field)
        return text

    def batch(self, tenant: Tenant, text: str, field: str = "batch") -> str:
        """The id, where it can be one of the tenant's batches; BATCH_NOT_FOUND otherwise."""
        if not self._ids.valid(text, BATCH, *tenant):
            raise batch_not_found(field)
        return text
