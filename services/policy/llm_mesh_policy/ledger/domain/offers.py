"""What the registry says of models and prices, read out of its messages once and not with each request."""

from collections.abc import Callable, Collection
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_policy.ledger.domain.plan_tree import AttemptTarget
from llm_mesh_policy.ledger.domain.rates import Rates

_DEFAULT_CLEARANCE = frozenset({"public", "internal"})
_MOST = 4096

Served: TypeAlias = registry_pb2.Model | registry_pb2.AcceptedProduct
"""By what a domain is served: a model of its own or of `domains/shared`, or what it accepted of another domain's."""
M = TypeVar("M", bound=Served | registry_pb2.Price)
V = TypeVar("V")


class Ceiling(NamedTuple):
    """The price that a domain accepted: it pays no more. Without one, nothing that has a price."""

    currency: str
    rates: Rates | None

    def covers(self, tariff: "Tariff") -> bool:
        """Whether a price is in no component above it."""
        return self.rates is not None and tariff.currency == self.currency and not self.rates.is_exceeded_by(tariff.rates)


class Offer(NamedTuple):
    """A model as a domain is served by it: where it is, what may be sent there, and what it may cost."""

    name: str
    target: AttemptTarget
    region: str
    data_classes: Collection[str]
    zero_retention: bool
    free: bool
    reasons: bool
    """Its answers may have reasoning, which providers hide."""
    speaks: bool
    """Its answers may have sound."""
    alias: str = ""
    ceiling: Ceiling | None = None
    """None: the domain's own or a shared model, whose price versions all count."""

    def covers(self, tariff: "Tariff | None") -> bool:
        """Whether the domain consented to a price."""
        return self.ceiling is None or tariff is None or self.ceiling.covers(tariff)

    @classmethod
    def of(cls, served: Served) -> "Offer":
        """What a message says of a model, or of one that was accepted."""
        if isinstance(served, registry_pb2.Model):
            return cls._of_model(served)
        price = served.accepted_price
        rates = Rates.of(price) if served.HasField("accepted_price") else None
        return cls._of_model(served.model)._replace(alias=served.alias, ceiling=Ceiling(price.currency, rates))

    @classmethod
    def _of_model(cls, model: registry_pb2.Model) -> "Offer":
        target = AttemptTarget(model.adapter, model.endpoint, model.upstream_model, model.credential)
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
    """What was read out of messages. One message serves many callers, and many messages may have one name: each is read by itself."""

    def __init__(self, read: Callable[[M], V]) -> None:
        self._read: Callable[[M], V] = read
        self._known: dict[int, tuple[M, V]] = {}

    def of(self, message: M) -> V:
        """What this very message says, which is not changed while it is here."""
        known = self._known.get(id(message))  # its place in memory is its own as long as it is kept here
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[id(message)] = (message, self._read(message))
        return known[1]
