"""What the registry says of models and prices, read out of its messages once and not with each request."""

from collections.abc import Callable, Collection
from typing import Generic, NamedTuple, TypeVar

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_policy.domain.ledger.plan_tree import Target
from llm_mesh_policy.domain.ledger.rates import Rates

_DEFAULT_CLEARANCE = frozenset({"public", "internal"})
_MOST = 4096

M = TypeVar("M", registry_pb2.Model, registry_pb2.Price)
V = TypeVar("V")


class Offer(NamedTuple):
    """A model: where it is, and what may be sent there."""

    name: str
    target: Target
    region: str
    data_classes: Collection[str]
    zero_retention: bool
    free: bool
    reasons: bool
    """Its answers may have reasoning, which providers hide."""
    speaks: bool
    """Its answers may have sound."""
    alias: str = ""

    @classmethod
    def of(cls, model: registry_pb2.Model) -> "Offer":
        """What a model's message says."""
        target = Target(model.adapter, model.endpoint, model.upstream_model, model.credential)
        clearance = frozenset(model.data_classes) or _DEFAULT_CLEARANCE
        able = model.capabilities
        return cls(
            model.name,
            target,
            model.region,
            clearance,
            model.zero_retention,
            model.free,
            alias=model.alias,
            reasons="reasoning" in able,
            speaks="audio_output" in able,
        )


class Tariff(NamedTuple):
    """A price version."""

    currency: str
    rates: Rates

    @classmethod
    def of(cls, price: registry_pb2.Price) -> "Tariff":
        """What a price's message says."""
        return cls(price.currency, Rates.of(price))


class Readings(Generic[M, V]):
    """What was read out of messages, by name. A message that takes another's place is read anew."""

    def __init__(self, read: Callable[[M], V]) -> None:
        self._read: Callable[[M], V] = read
        self._known: dict[str, tuple[M, V]] = {}

    def of(self, name: str, message: M) -> V:
        """What this very message says, which is not changed while it is here."""
        known = self._known.get(name)
        if known is None or known[0] is not message:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[name] = (message, self._read(message))
        return known[1]
