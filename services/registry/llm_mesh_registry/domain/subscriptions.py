"""Subscriptions as their servicer sees them: consent of a domain to be served by what other domains publish."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.acceptance import SHARED
from llm_mesh_registry.domain.feed import Feed
from llm_mesh_registry.domain.models import DOMAIN, MODEL
from llm_mesh_registry.domain.ports import Offers, Subscriptions
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import NamePattern, Page, check_masks, checked_alias, checked_id, domain_of, is_within

SUBSCRIPTION = NamePattern("domains/{domain}/subscriptions/{subscription}")
ROUTE = NamePattern("domains/{domain}/routes/{route}")
MOST_ENTRIES = 500
"""Subscriptions in one call of apply."""

_PLATFORM = "domains/platform"
_ALL = "domains/-"
_MOST_ACCEPTED = 100
_MOST_ROUTES = 1_000
_LONGEST_VERSION = 64


class Consent:
    """Keeps subscriptions, and lists what could be subscribed to."""

    def __init__(self, subscriptions: Subscriptions, offers: Offers, feed: Feed) -> None:
        self._subscriptions = subscriptions
        self._offers = offers
        self._feed = feed

    async def create(self, parent: str, subscription_id: str, subscription: registry_pb2.Subscription) -> registry_pb2.Subscription:
        """A new subscription of a domain."""
        DOMAIN.parse(parent, "parent")
        subscription.name = f"{parent}/subscriptions/{checked_id(subscription_id, 'subscription_id')}"
        _check(subscription, "subscription")
        created = await self._subscriptions.create(subscription)
        await self._feed.refresh()
        return created

    async def get(self, name: str) -> registry_pb2.Subscription:
        """A subscription by its name."""
        SUBSCRIPTION.parse(name)
        return await self._subscriptions.get(name)

    async def page(self, parent: str, page: Page) -> tuple[Sequence[registry_pb2.Subscription], str]:
        """Subscriptions of a domain or of all, and the token of the next page."""
        subscriptions = await self._subscriptions.page(_domain(parent), page)
        return page.cut(subscriptions, key=lambda subscription: subscription.name)

    async def update(
        self, changed: registry_pb2.Subscription, mask: FieldMask, accept: Sequence[registry_pb2.ProductVersion]
    ) -> registry_pb2.Subscription:
        """Changes the alias, accepts changed terms, or both."""
        SUBSCRIPTION.parse(changed.name, "subscription.name")
        if not changed.etag:
            raise invalid("subscription.etag", "must be the etag of the subscription as it was read")
        for path in mask.paths:
            if path != "alias":
                raise invalid("update_mask", f"may name alias, not {path[:64]}")
        if changed.alias:
            checked_alias(changed.alias, "subscription.alias")
        if len(accept) > _MOST_ACCEPTED:
            raise invalid("accept", f"must be at most {_MOST_ACCEPTED} versions")
        for index, version in enumerate(accept):
            if version.product:
                _check_product(version.product, f"accept[{index}].product")
            if not 0 < len(version.version) <= _LONGEST_VERSION:
                raise invalid(f"accept[{index}].version", "must be a version as `ListOffers` shows it")
        alias = changed.alias if mask.paths or changed.alias else None
        updated = await self._subscriptions.update(changed.name, changed.etag, alias, accept)
        await self._feed.refresh()
        return updated

    async def delete(self, name: str, etag: str) -> None:
        """Deletes a subscription: its products serve the domain no more."""
        SUBSCRIPTION.parse(name)
        await self._subscriptions.delete(name, etag)
        await self._feed.refresh()

    async def apply(self, request: registry_pb2.ApplySubscriptionsRequest) -> Sequence[resources_pb2.Change]:
        """Brings subscriptions to a wanted state. Only the platform names those of several domains."""
        parent, desired, dry_run = request.parent, request.subscriptions, request.dry_run
        if len(desired) > MOST_ENTRIES:
            raise invalid("subscriptions", f"at most {MOST_ENTRIES} in one call, not {len(desired)}: split them among several calls")
        DOMAIN.parse(parent, "parent")
        for index, subscription in enumerate(desired):
            SUBSCRIPTION.parse(subscription.name, f"subscriptions[{index}].name")
            if parent != _PLATFORM and not is_within(subscription.name, parent):
                raise invalid(f"subscriptions[{index}].name", f"must be within {parent}")
            _check(subscription, f"subscriptions[{index}]")
        if len({subscription.name for subscription in desired}) != len(desired):
            raise invalid("subscriptions", "must name each subscription once")
        check_masks(request.update_masks, {subscription.name for subscription in desired})
        changes = await self._subscriptions.apply(desired, request.update_masks, dry_run=dry_run)
        if not dry_run:
            await self._feed.refresh()
        return changes

    async def offers(
        self, parent: str, page: Page, publisher: str, state: registry_pb2.OfferState
    ) -> tuple[Sequence[registry_pb2.Offer], str]:
        """Offers to a domain or to any, and the token of the next page."""
        if publisher:
            DOMAIN.parse(publisher, "publisher")
        offers = await self._offers.page(_domain(parent), page, publisher, state)
        return page.cut(offers, key=lambda offer: offer.product)

    async def accepted(self, domain: str, product: str) -> registry_pb2.AcceptedProduct | None:
        """What a domain accepted of a product, while it is offered."""
        DOMAIN.parse(domain, "domain")
        _check_product(product, "product")
        return await self._offers.accepted(domain, product)

    async def put_routes(self, request: registry_pb2.PutRouteOffersRequest) -> None:
        """Keeps which routes are offered, within a range of names."""
        if len(request.routes) > _MOST_ROUTES:
            raise invalid("routes", f"must be at most {_MOST_ROUTES}")
        for index, route in enumerate(request.routes):
            ROUTE.parse(route.name, f"routes[{index}].name")
            if not request.after < route.name or (request.through and route.name > request.through):
                raise invalid(f"routes[{index}].name", "must be within the range")
        if await self._offers.put_routes(request.routes, request.after, request.through):
            await self._feed.refresh()


def _domain(parent: str) -> str:
    """The domain; empty for all."""
    if parent == _ALL:
        return ""
    DOMAIN.parse(parent, "parent")
    return parent


def _check(subscription: registry_pb2.Subscription, field: str) -> None:
    subscriber = domain_of(subscription.name)
    if bool(subscription.publisher) == bool(subscription.product):
        raise invalid(f"{field}.product", "must be set, or `publisher`, but not both")
    if subscription.publisher:
        DOMAIN.parse(subscription.publisher, f"{field}.publisher")
        for name in ("alias", "accepted_version"):
            if getattr(subscription, name):
                raise invalid(f"{field}.{name}", "must be empty with `publisher`")
    else:
        _check_product(subscription.product, f"{field}.product")
    source = "publisher" if subscription.publisher else "product"
    if domain_of(getattr(subscription, source)) in (subscriber, SHARED):
        raise invalid(
            f"{field}.{source}", "must be of another domain; what the domain owns and what domains/shared publishes serves it anyway"
        )
    if subscription.alias:
        checked_alias(subscription.alias, f"{field}.alias")
    if len(subscription.accepted_version) > _LONGEST_VERSION:
        raise invalid(f"{field}.accepted_version", "must be a version as `ListOffers` shows it")


def _check_product(name: str, field: str) -> None:
    if not (MODEL.matches(name) or ROUTE.matches(name)):
        raise invalid(field, f"must be of the form {MODEL.template} or {ROUTE.template}")
