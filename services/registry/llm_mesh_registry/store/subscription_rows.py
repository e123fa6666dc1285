"""Subscriptions as they are told: what their domain wrote, and how the products that they accept stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, select

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.acceptance import Acceptance, public
from llm_mesh_registry.domain.terms import Product
from llm_mesh_registry.domain.terms import shown as without_secrets
from llm_mesh_registry.store.accepting import acceptances, products
from llm_mesh_registry.store.tables import ACCEPTED, SUBSCRIPTIONS
from llm_mesh_runtime.errors import not_found


def find(connection: Connection, name: str) -> registry_pb2.Subscription | None:
    """The subscription as its domain wrote it."""
    body = connection.scalar(select(SUBSCRIPTIONS.c.body).where(SUBSCRIPTIONS.c.name == name))
    return None if body is None else registry_pb2.Subscription.FromString(body)


def shown(connection: Connection, name: str, now: int) -> registry_pb2.Subscription:
    """The subscription whole; NOT_FOUND where there is none."""
    present = find(connection, name)
    if present is None:
        raise not_found(name)
    return shown_all(connection, [present], now)[0]


def shown_all(connection: Connection, subscriptions: list[registry_pb2.Subscription], now: int) -> Sequence[registry_pb2.Subscription]:
    """The subscriptions whole."""
    of_subscription: dict[str, list[Acceptance]] = defaultdict(list)
    names = [subscription.name for subscription in subscriptions]
    for one in acceptances(connection, ACCEPTED.c.subscription.in_(names)):
        of_subscription[one.subscription].append(one)
    present = products(connection, {one.product.name for accepted in of_subscription.values() for one in accepted}, now)
    for subscription in subscriptions:
        _fill(subscription, of_subscription[subscription.name], present, now)
    return subscriptions


def _fill(subscription: registry_pb2.Subscription, accepted: Sequence[Acceptance], present: dict[str, Product], now: int) -> None:
    proposals = [one.proposal(present.get(one.product.name), now) for one in accepted]
    subscription.products = len(accepted)
    subscription.proposals = sum(proposal is not None for proposal in proposals)
    if not subscription.product:
        return
    for one, proposal in zip(accepted, proposals, strict=True):
        subscription.accepted_version = one.version
        if proposal is not None:
            subscription.proposed.CopyFrom(proposal)
        served = one.served(present.get(one.product.name), now)
        subscription.withdrawn = served is None
        terms = public(served) if served is not None else None
        if terms is not None and terms.HasField("model"):
            subscription.model.CopyFrom(terms.model)
        elif terms is not None:
            subscription.route.CopyFrom(terms.route)
        else:
            _show_accepted(subscription, one.product)


def _show_accepted(subscription: registry_pb2.Subscription, product: Product) -> None:
    """What was accepted of a product that is not offered any more."""
    if isinstance(product, registry_pb2.Model):
        subscription.model.CopyFrom(without_secrets(product))
    else:
        subscription.route.CopyFrom(without_secrets(product))
