"""The terms of a product: what a subscriber consents to, how versions of it are told apart, and which changes need consent again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_figures.prices import exceeds
from llm_mesh_registry.domain.prices import CHARGED, holds
from llm_mesh_runtime.resources import etag_of

Product: TypeAlias = registry_pb2.Model | router_pb2.Route
P = TypeVar("P", registry_pb2.Model, router_pb2.Route)
T = TypeVar("T", registry_pb2.Model, router_pb2.Route, registry_pb2.Price)

MODEL_TERMS = (
    "alias", "adapter", "endpoint", "upstream_model", "dialect", "region", "data_classes", "free", "zero_retention", "credential",
    "image_tokens", "audio_tokens", "file_tokens", "audio_seconds",
)  # fmt: skip
"""Fields of a model that stay as they were accepted. `price` is a term too, with a rule of its own: it may fall.

So are, in what they add, the context window and the capabilities by which output is hidden: a reference without a bound of its own is
reserved and charged as the whole window, and an unfinished call also for output that may have been hidden.
"""
HIDING = frozenset({"reasoning", "audio_output"})
ROUTE_TERMS = ("alias", "targets", "max_attempts", "limits")
"""Fields of a route that stay as they were accepted."""
_CHARGED = (*CHARGED, "valid_until")
_UNOFFERED = (registry_pb2.LIFECYCLE_PREVIEW, registry_pb2.LIFECYCLE_RETIRED)


def version_of(product: Product) -> str:
    """The version of a product's terms: equal where the terms are, whatever else changed."""
    if isinstance(product, router_pb2.Route):
        return etag_of(_picked(product, ROUTE_TERMS))
    terms = _picked(product, MODEL_TERMS)
    terms.context_window = product.context_window
    terms.capabilities.extend(sorted(HIDING.intersection(product.capabilities)))
    if product.HasField("price"):
        terms.price.CopyFrom(_picked(product.price, _CHARGED))
    return etag_of(terms)


def proposed_fields(accepted: Product, offered: Product) -> list[str]:
    """Terms that are offered otherwise than they were accepted, and that need consent."""
    terms = ROUTE_TERMS if isinstance(offered, router_pb2.Route) else MODEL_TERMS
    changed = [name for name in terms if getattr(accepted, name) != getattr(offered, name)]
    if isinstance(offered, registry_pb2.Model) and isinstance(accepted, registry_pb2.Model):
        additions = {
            "context_window": offered.context_window > accepted.context_window,
            "capabilities": bool(_hiding_more(accepted, offered)),
            "price": _dearer(accepted, offered),
        }
        changed.extend(name for name, more in additions.items() if more)
    return changed


def served_model(accepted: registry_pb2.Model, offered: registry_pb2.Model, now: int) -> registry_pb2.Model:
    """The model that serves a subscriber: accepted terms, everything else as offered now. `now` in microseconds."""
    served = registry_pb2.Model()
    served.CopyFrom(offered)
    for name in (*MODEL_TERMS, "price", "shared_with"):
        served.ClearField(name)
    served.MergeFrom(_picked(accepted, MODEL_TERMS))
    if offered.context_window > accepted.context_window:
        served.context_window = accepted.context_window
    for capability in _hiding_more(accepted, offered):
        served.capabilities.remove(capability)
    if offered.HasField("price") and not _dearer(accepted, offered):
        served.price.CopyFrom(offered.price)
    elif accepted.HasField("price") and holds(accepted.price, now):
        served.price.CopyFrom(accepted.price)
    return served


def is_offered(product: Product, domain: str, now: datetime) -> bool:
    """Whether a domain can accept the product, and is served by it once it has."""
    if not any(receiver in ("*", domain) for receiver in product.shared_with):
        return False
    if isinstance(product, router_pb2.Route):
        return True
    retired = product.HasField("retire_time") and product.retire_time.ToDatetime(now.tzinfo) <= now
    return product.lifecycle not in _UNOFFERED and not retired


def is_usable(product: Product) -> bool:
    """Whether the product would answer: a model needs a price or to be free. Only such is accepted without being looked at."""
    return isinstance(product, router_pb2.Route) or product.free or product.HasField("price")


def shown(product: P) -> P:
    """The product as other domains may see it: without the names of other receivers and of credentials."""
    public = type(product)()
    public.CopyFrom(product)
    public.ClearField("shared_with")
    if isinstance(public, registry_pb2.Model):
        public.ClearField("credential")
    return public


def _hiding_more(accepted: registry_pb2.Model, offered: registry_pb2.Model) -> frozenset[str]:
    """Capabilities that hide output, and that the model did not have when it was accepted."""
    return HIDING.intersection(offered.capabilities).difference(accepted.capabilities)


def _dearer(accepted: registry_pb2.Model, offered: registry_pb2.Model) -> bool:
    """Whether the offered price costs more in any component than the accepted one."""
    if not offered.HasField("price"):
        return False
    if not accepted.HasField("price") or accepted.price.currency != offered.price.currency:
        return True
    return exceeds(offered.price, accepted.price) is not None


def _picked(source: T, names: Sequence[str]) -> T:
    """The named fields alone."""
    only = type(source)()
    only.CopyFrom(source)
    for field in only.DESCRIPTOR.fields:
        if field.name not in names:
            only.ClearField(field.name)
    return only
