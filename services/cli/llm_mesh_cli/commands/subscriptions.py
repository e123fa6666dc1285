"""`llm-mesh subscriptions`: what other domains offer, and what a domain accepts of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import grpc
import typer

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.existing import suggestion
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.nouns.names import resource_name
from llm_mesh_cli.offers import OfferState, offers_to
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session, domain_name
from llm_mesh_cli.texts import per_million
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.resources import domain_of

app = typer.Typer(no_args_is_help=True, help="Show what other domains offer, and accept it.")
Domain = Annotated[str | None, typer.Option("--domain", help="The domain that accepts: `claims`. Default: the caller's own.")]
Name = Annotated[str, typer.Argument(help="`summaries`, `claims/summaries` or a resource name.")]
_LONGEST_ID = 63
_MOST_ACCEPTED = 100
_PRODUCT_PARTS = 3


@asks(app, "list")
async def list_subscriptions(
    session: Session, domain: Annotated[str | None, typer.Option("--domain", help="`claims`, or `-` for all.")] = None
) -> None:
    """List subscriptions, and whether there are changed terms to accept."""
    parent = await session.domain(domain) if domain is not None else await session.whole()
    request = registry_pb2.ListSubscriptionsRequest(parent=parent)
    listed = [each async for answer in pages(_registry(session).ListSubscriptions, request) for each in answer.subscriptions]
    rows = [(each.name, each.publisher or each.product, each.alias, str(each.products), _state(each)) for each in listed]
    session.output.table(("SUBSCRIPTION", "ACCEPTS", "OWN ALIAS", "PRODUCTS", "STATE"), rows, listed)


@asks(app)
async def offers(
    session: Session,
    domain: Annotated[str | None, typer.Option("--domain", help="`claims`, or `-` for what any domain offers.")] = None,
    publisher: Annotated[str, typer.Option(help="Only what this domain offers.")] = "",
    state: Annotated[
        OfferState, typer.Option(help="Only offers in this state; `proposed` are accepted ones with changed terms.")
    ] = OfferState.ALL,
) -> None:
    """List what other domains offer, at which price, and what of it is accepted."""
    parent = await session.domain(domain) if domain is not None else await session.whole()
    listed = await offers_to(session, parent, publisher=domain_name(publisher) if publisher else "", state=state)
    rows = [(offer.product, offer.alias, _price(offer), _offer_state(offer), offer.version) for offer in listed]
    session.output.table(("PRODUCT", "ALIAS", "IN / OUT PER MILLION", "STATE", "VERSION"), rows, listed)


@asks(app)
async def show(session: Session, name: Name, domain: Domain = None) -> None:
    """Show a subscription whole: what serves, and what is proposed."""
    session.output.message(await _subscription(session, name, domain))


@asks(app)
async def accept(
    session: Session,
    source: Annotated[str, typer.Argument(help="`claims/models/summariser`, `claims/routes/main`, or `claims` for all that it offers.")],
    domain: Domain = None,
    name: Annotated[str, typer.Option(help="The subscription's id. Default: made of what it accepts.")] = "",
    alias: Annotated[str, typer.Option(help="An alias of one's own; it stands before shared ones. Default: the publisher's.")] = "",
    version: Annotated[str, typer.Option(help="The version to accept, from `offers`. Default: the one that is offered now.")] = "",
) -> None:
    """Accept a product, or all that a domain offers, at the terms that are offered now."""
    parent, whole = await session.domain(domain), source if source.startswith("domains/") else f"domains/{source}"
    subscribed = registry_pb2.Subscription(alias=alias, accepted_version=version)
    setattr(subscribed, "product" if whole.count("/") >= _PRODUCT_PARTS else "publisher", whole)
    request = registry_pb2.CreateSubscriptionRequest(parent=parent, subscription_id=name or _id_of(whole), subscription=subscribed)
    try:
        answer = await _registry(session).CreateSubscription(request)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        failure = from_rpc_error(error, peer=session.peer)
        failure.message += suggestion(whole, [offer.product for offer in await offers_to(session, parent)])
        raise failure from error
    _show(session, answer.subscription)


@asks(app)
async def update(
    session: Session,
    name: Name,
    domain: Domain = None,
    alias: Annotated[str | None, typer.Option(help="Another alias of one's own; `''` for the publisher's.")] = None,
    take: Annotated[bool, typer.Option("--accept", help="Accept changed terms, of all products or of those that --product names.")] = False,
    product: Annotated[list[str] | None, typer.Option(help="A product whose changed terms are accepted; repeatable.")] = None,
    version: Annotated[str, typer.Option(help="The version to accept of the one product. Default: the one that is offered now.")] = "",
) -> None:
    """Accept changed terms, or change the alias."""
    present = await _subscription(session, name, domain)
    if alias is None and not take:
        raise CommandError("nothing to change: give --alias or --accept", Exit.USAGE)
    proposed = await _proposed(session, present, product or ()) if take else []
    if version and len(proposed) > 1:
        raise CommandError("--version is of one product: name it with --product", Exit.USAGE)
    versions = [registry_pb2.ProductVersion(product=offer.product, version=version or offer.version) for offer in proposed]
    if take and not versions:
        raise CommandError(f"{present.name} has no changed terms to accept", Exit.NOT_FOUND)
    stub = _registry(session)
    for start in range(0, max(len(versions), 1), _MOST_ACCEPTED):
        request = registry_pb2.UpdateSubscriptionRequest(accept=versions[start : start + _MOST_ACCEPTED])
        request.subscription.name, request.subscription.etag = present.name, present.etag
        if alias is not None:
            request.subscription.alias = alias
            request.update_mask.paths.append("alias")
        present = (await stub.UpdateSubscription(request)).subscription
    _show(session, present)


@asks(app)
async def cancel(session: Session, name: Name, domain: Domain = None) -> None:
    """End a subscription: its products serve the domain no more."""
    whole = await _name(session, name, domain)
    answer = await _registry(session).DeleteSubscription(registry_pb2.DeleteSubscriptionRequest(name=whole))
    if session.output.as_json:
        session.output.message(answer)
    session.output.line(f"{whole} is cancelled")


def _registry(session: Session) -> registry_pb2_grpc.RegistryServiceStub:
    return registry_pb2_grpc.RegistryServiceStub(session.channel("registry"))


async def _name(session: Session, name: str, domain: str | None) -> str:
    return await resource_name(session, "subscriptions", name, domain)


async def _subscription(session: Session, name: str, domain: str | None) -> registry_pb2.Subscription:
    request = registry_pb2.GetSubscriptionRequest(name=await _name(session, name, domain))
    return (await _registry(session).GetSubscription(request)).subscription


async def _proposed(session: Session, subscription: registry_pb2.Subscription, products: Sequence[str]) -> list[registry_pb2.Offer]:
    """Changed terms of what the subscription accepts."""
    parent = domain_of(subscription.name)
    source = subscription.publisher or domain_of(subscription.product)
    proposals = await offers_to(session, parent, publisher=source, state=OfferState.PROPOSED)
    selected = {product if product.startswith("domains/") else f"domains/{product}" for product in products}
    own = (offer for offer in proposals if offer.accepted.subscription == subscription.name)
    return [offer for offer in own if not selected or offer.product in selected]


def _show(session: Session, subscription: registry_pb2.Subscription) -> None:
    if session.output.as_json:
        session.output.data(as_dict(subscription))
        return
    session.output.line(f"{subscription.name} accepts {subscription.publisher or subscription.product}: {_state(subscription)}")


def _id_of(source: str) -> str:
    """`domains/claims/models/summariser` is `claims-summariser`."""
    _, domain, *rest = source.split("/")
    return "-".join([domain, *rest[1:]])[:_LONGEST_ID]


def _state(subscription: registry_pb2.Subscription) -> str:
    if subscription.withdrawn:
        return "withdrawn by its publisher"
    if not subscription.proposals:
        return "accepted"
    terms = f": {', '.join(subscription.proposed.proposed_fields)}" if subscription.HasField("proposed") else ""
    return f"{subscription.proposals} changed{terms}"


def _offer_state(offer: registry_pb2.Offer) -> str:
    if offer.offered_to:
        return f"offered to {', '.join(offer.offered_to)}; {offer.subscribers or 'nobody'} accepted it"
    if not offer.HasField("accepted"):
        return "not accepted"
    return f"accepted; changed: {', '.join(offer.proposed_fields)}" if offer.proposed_fields else "accepted"


def _price(offer: registry_pb2.Offer) -> str:
    if not offer.HasField("model"):
        return "route"
    if offer.model.free:
        return "free"
    price = offer.model.price
    if not offer.model.HasField("price"):
        return "none: refused"
    return f"{per_million(price.input_nanos_per_million)} / {per_million(price.output_nanos_per_million)} {price.currency}"
