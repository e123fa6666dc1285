"""What a model must be like."""

from __future__ import annotations

import re

from llm_mesh.registry.v1 import errors_pb2, registry_pb2
from llm_mesh_registry.domain.errors import RegistryError
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import NamePattern, checked_alias, checked_id

DOMAIN = NamePattern("domains/{domain}")
MODEL = NamePattern("domains/{domain}/models/{model}")
ADAPTER = NamePattern("adapters/{adapter}")

OUTPUT_ONLY = ("name", "etag", "create_time", "update_time", "price", "conflicts")
MUTABLE = frozenset(field.name for field in registry_pb2.Model.DESCRIPTOR.fields) - set(OUTPUT_ONLY)
APPLIED = MUTABLE | {"price"}
"""What an apply may change."""
ADAPTER_FIELDS = frozenset({"dialect", "description"})

_WORD = re.compile(r"[a-z0-9_.:-]{1,63}")
_LONGEST_UPSTREAM = 255
_LONGEST_TEXT = 255
_LONGEST_DESCRIPTION = 1024
_MOST_WORDS = 64
MOST_TOKENS = 10**9
_MOST_RECEIVERS = 1_000
_HIGHEST_MILLIPERCENT = 100_000


def checked_model(model: registry_pb2.Model, field: str, *, may_be_free: bool) -> registry_pb2.Model:
    """The model, where all of it is of its documented form."""
    _check_identity(model, field)
    _check_properties(model, field)
    if model.free and not may_be_free:
        message = "only a platform administrator declares models free"
        raise RegistryError(errors_pb2.ERROR_REASON_FREE_DENIED, message, field=f"{field}.free")
    return model


def _check_identity(model: registry_pb2.Model, field: str) -> None:
    checked_alias(model.alias, f"{field}.alias")
    checked_id(model.adapter, f"{field}.adapter")
    checked_id(model.endpoint, f"{field}.endpoint")
    if not 1 <= len(model.upstream_model.encode()) <= _LONGEST_UPSTREAM:
        raise invalid(f"{field}.upstream_model", f"must be 1 to {_LONGEST_UPSTREAM} bytes")
    if len(model.display_name.encode()) > _LONGEST_TEXT:
        raise invalid(f"{field}.display_name", f"must be at most {_LONGEST_TEXT} bytes")


def _check_properties(model: registry_pb2.Model, field: str) -> None:
    for name in ("capabilities", "data_classes"):
        check_words(list(getattr(model, name)), f"{field}.{name}")
    for name in ("dialect", "region", "credential"):
        if getattr(model, name):
            check_words([getattr(model, name)], f"{field}.{name}")
    for name in ("context_window", "max_output_tokens", "image_tokens", "audio_tokens", "file_tokens", "audio_seconds"):
        if not 0 <= getattr(model, name) <= MOST_TOKENS:
            raise invalid(f"{field}.{name}", f"must be 0 to {MOST_TOKENS}")
    if len(model.shared_with) > _MOST_RECEIVERS:
        raise invalid(f"{field}.shared_with", f"must be at most {_MOST_RECEIVERS} domains, or `*`")
    for index, domain in enumerate(model.shared_with):
        if domain != "*":
            DOMAIN.parse(domain, f"{field}.shared_with[{index}]")
    if not 0 <= model.service_level.availability_millipercent <= _HIGHEST_MILLIPERCENT:
        raise invalid(f"{field}.service_level.availability_millipercent", f"must be 0 to {_HIGHEST_MILLIPERCENT}")


def checked_adapter(adapter: registry_pb2.Adapter, field: str) -> registry_pb2.Adapter:
    """The adapter's entry, where all of it is of its documented form."""
    ADAPTER.parse(adapter.name, f"{field}.name")
    checked_id(adapter.dialect, f"{field}.dialect")
    if len(adapter.description.encode()) > _LONGEST_DESCRIPTION:
        raise invalid(f"{field}.description", f"must be at most {_LONGEST_DESCRIPTION} bytes")
    return adapter


def check_words(words: list[str], field: str) -> None:
    """INVALID_FIELD unless the words are few, different and of their form."""
    if len(words) > _MOST_WORDS or len(set(words)) != len(words):
        raise invalid(field, f"must be at most {_MOST_WORDS} different words")
    for word in words:
        if _WORD.fullmatch(word) is None:
            raise invalid(field, "must be words of 1 to 63 of a-z, 0-9 and _ . : -")
