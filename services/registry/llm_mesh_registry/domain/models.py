"""What a model must be like."""

from __future__ import annotations

from llm_mesh.registry.v1 import errors_pb2, registry_pb2
from llm_mesh_registry.domain.errors import RegistryError
from llm_mesh_runtime.resources import NamePattern
from llm_mesh_runtime.validation import check_message

DOMAIN = NamePattern("domains/{domain}")
MODEL = NamePattern("domains/{domain}/models/{model}")
ADAPTER = NamePattern("adapters/{adapter}")

OUTPUT_ONLY = ("name", "etag", "create_time", "update_time", "price", "conflicts")
MUTABLE = frozenset(field.name for field in registry_pb2.Model.DESCRIPTOR.fields) - set(OUTPUT_ONLY)
APPLIED = MUTABLE | {"price"}
"""What an apply may change."""
ADAPTER_FIELDS = frozenset({"dialect", "description"})


def checked_model(model: registry_pb2.Model, field: str, *, may_be_free: bool) -> registry_pb2.Model:
    """The model, where all of it is of its documented form."""
    check_message(model, field)
    if model.free and not may_be_free:
        message = "only a platform administrator declares models free"
        raise RegistryError(errors_pb2.ERROR_REASON_FREE_DENIED, message, field=f"{field}.free")
    return model


def checked_adapter(adapter: registry_pb2.Adapter, field: str) -> registry_pb2.Adapter:
    """The adapter's entry, where all of it is of its documented form."""
    ADAPTER.parse(adapter.name, f"{field}.name")
    check_message(adapter, field)
    return adapter
