"""What a domain accepted of one product, and what that means while the publisher changes the product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_registry.domain.terms import Product, is_offered, proposed_fields, served_model, shown, version_of

SHARED = "domains/shared"
SERVES_ALL = "serves all domains, by the platform's rule"
"""What the audit trail says of a change in `domains/shared`: nobody accepts it."""
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One product as a domain accepted it."""

    domain: str
    product: Product
    """As it was accepted."""
    version: str
    subscription: str
    own_alias: str
    """The alias that the subscription gives. Empty: none."""
    accepted: int
    """When the domain first accepted the product, in microseconds."""

    def served(self, offered: Product | None, now: int) -> registry_pb2.AcceptedProduct | None:
        """By what the domain is served; None where the product is not offered to it any more. `offered` is the product as it is now."""
        if offered is None or not is_offered(offered, self.domain, instant(now)):
            return None
        served = registry_pb2.AcceptedProduct(
            domain=self.domain,
            product=self.product.name,
            subscription=self.subscription,
            alias=self.own_alias or self.product.alias,
            own_alias=bool(self.own_alias),
            version=self.version,
        )
        served.accept_time.FromMicroseconds(self.accepted)
        if isinstance(self.product, router_pb2.Route):
            served.route.CopyFrom(shown(self.product))
            return served
        served.model.CopyFrom(served_model(self.product, cast("registry_pb2.Model", offered), now))
        served.model.alias = served.alias
        if self.product.HasField("price"):
            served.accepted_price.CopyFrom(self.product.price)
        return served

    def proposal(self, offered: Product | None, now: int) -> registry_pb2.Offer | None:
        """What is offered now, where the domain has not accepted it yet."""
        if offered is None or not is_offered(offered, self.domain, instant(now)):
            return None
        fields = proposed_fields(self.product, offered)
        return offer_of(offered, fields) if fields else None


def offer_of(product: Product, proposed: list[str] | None = None) -> registry_pb2.Offer:
    """The product as an offer to another domain."""
    offer = registry_pb2.Offer(product=product.name, alias=product.alias, version=version_of(product), proposed_fields=proposed or ())
    if isinstance(product, router_pb2.Route):
        offer.route.CopyFrom(shown(product))
    else:
        offer.model.CopyFrom(shown(product))
    return offer


def public(accepted: registry_pb2.AcceptedProduct) -> registry_pb2.AcceptedProduct:
    """What a domain may see of what it accepted."""
    copy = registry_pb2.AcceptedProduct()
    copy.CopyFrom(accepted)
    if copy.HasField("model"):
        copy.model.ClearField("credential")
    return copy


def instant(micros: int) -> datetime:
    """A point in time."""
    return _BEGIN + timedelta(microseconds=micros)
