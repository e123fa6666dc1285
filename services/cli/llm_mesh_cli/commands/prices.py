"""`llm-mesh prices`: price versions of models. None ever changes; a newer one takes its place."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.nouns.calls import Calls
from llm_mesh_cli.nouns.noun import Noun
from llm_mesh_cli.rates import put_image, put_rate
from llm_mesh_cli.registered_models import model_of, terms
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import moment, money, time_text

PRICES = Noun("price", "prices", "Price", service="registry", stub=registry_pb2_grpc.RegistryServiceStub, messages=registry_pb2, columns=())
app = typer.Typer(no_args_is_help=True, help="Show and add price versions of models.")
Model = Annotated[str, typer.Argument(metavar="MODEL", help="The model's alias, `shared/gpt`, or its resource name.")]


@asks(app, "list")
async def list_prices(session: Session, model: Model) -> None:
    """List the price versions of a model."""
    prices = await Calls(session, PRICES).listed((await model_of(session, model)).name)
    rows = [
        (
            price.name.rpartition("/")[2],
            terms(price),
            time_text(price.valid_from),
            time_text(price.valid_until),
            price.source,
        )
        for price in prices
    ]
    session.output.table(("NUMBER", "IN / OUT PER MILLION", "FROM", "UNTIL", "SOURCE"), rows, prices)


@asks(app)
async def show(session: Session, model: Model, number: Annotated[int, typer.Argument(min=1, help="Its number.")]) -> None:
    """Show a price version whole."""
    session.output.resource(await Calls(session, PRICES).one(f"{(await model_of(session, model)).name}/prices/{number}"))


@asks(app, "create", aliases=("add",))
async def create(
    session: Session,
    model: Model,
    input_: Annotated[str, typer.Option("--input", help="Per million input tokens, such as `0.15` or `0.15 USD`.")],
    output: Annotated[str, typer.Option(help="Per million output tokens.")],
    source: Annotated[str, typer.Option(help="Where the figures are from, such as `contract 2026-10`.")],
    cached_input: Annotated[str | None, typer.Option(help="Per million input tokens read from a cache. Default: as input.")] = None,
    cache_write: Annotated[str | None, typer.Option(help="Per million input tokens written to a cache. Default: as input.")] = None,
    reasoning: Annotated[str | None, typer.Option(help="Per million output tokens of reasoning. Default: as output.")] = None,
    audio_input: Annotated[str | None, typer.Option(help="Per million input tokens of sound. Default: as input.")] = None,
    audio_output: Annotated[str | None, typer.Option(help="Per million output tokens of sound. Default: as output.")] = None,
    request: Annotated[str | None, typer.Option(help="Per million requests. Default: nothing.")] = None,
    rate: Annotated[
        list[str] | None,
        typer.Option(
            help="Another rate per million, such as `cache_write_1h=6`, `image_output=40`, `character=15`, `search_unit=2000` or "
            "`audio_input_second=100`; of another tier `flex.input=0.05`. Repeat it."
        ),
    ] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="Per million images of a size and quality: `1024x1024,high=167000`. Either may be left out. Repeat it."),
    ] = None,
    valid_from: Annotated[str | None, typer.Option("--from", help="When it begins: `7d`, or a time. Default: now.")] = None,
) -> None:
    """Add a price version; requests are charged by it from then on."""
    rates = {
        "input": input_,
        "output": output,
        "cached_input": cached_input,
        "cache_write": cache_write,
        "reasoning": reasoning,
        "audio_input": audio_input,
        "audio_output": audio_output,
        "request": request,
    }
    amounts = {name: money(text, session.mesh.currency) for name, text in rates.items() if text is not None}
    if len({each.currency for each in amounts.values()}) > 1:
        raise CommandError("expected all prices of a version in one currency", Exit.USAGE)
    price = registry_pb2.Price(currency=amounts["input"].currency, source=source)
    for name, each in amounts.items():
        setattr(price, f"{name}_nanos_per_million", each.nanos)
    for option in rate or ():
        put_rate(price, option)
    for option in image or ():
        put_image(price, option)
    if valid_from:
        price.valid_from.FromDatetime(moment(valid_from))
    stub = registry_pb2_grpc.RegistryServiceStub(session.channel("registry"))
    parent = (await model_of(session, model)).name
    answer = await stub.CreatePrice(registry_pb2.CreatePriceRequest(parent=parent, price=price), timeout=30)
    if session.output.as_json:
        session.output.message(answer.price)
    session.output.line(f"{answer.price.name} is created")
