"""The verbs of a kind of resource as commands: exactly those that its contract offers, alike for all kinds."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.name_checks import FORCE
from llm_mesh_cli.nouns.calls import Calls
from llm_mesh_cli.nouns.changing import checked, masked, show
from llm_mesh_cli.nouns.names import resource_name
from llm_mesh_cli.nouns.options import parameters
from llm_mesh_cli.nouns.reading import described

if TYPE_CHECKING:
    from llm_mesh_cli.nouns.noun import Noun
    from llm_mesh_cli.session import Session

Verb = Callable[..., Awaitable[None]]
DOMAIN = Annotated[str | None, typer.Option("--domain", help="The domain. Default: the caller's own.")]
_UNSET = Annotated[list[str] | None, typer.Option("--unset", metavar="FIELD", help="A field that becomes unset; repeatable.")]
DRY_RUN = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
_NAMING = frozenset({"models", "projects", "routes"})
LOOSENING = Annotated[bool, typer.Option("--allow-loosening", help="Make the change although it loosens a guard.")]


def application(noun: Noun, help_: str) -> typer.Typer:
    """The group of commands of a kind of resource."""
    app = typer.Typer(no_args_is_help=True, help=help_)
    register(app, noun)
    return app


def register(app: typer.Typer, noun: Noun, *, without: Iterable[str] = ()) -> None:
    """Adds the verbs that the contract offers; `without` are those that the group has in a form of its own."""
    left_out = set(without)
    for name, offered, make, aliases in (
        ("list", noun.offers("List"), _lister, ()),
        ("show", noun.has_get or noun.offers("List"), _shower, ()),
        ("create", noun.offers("Create"), _creator, ("add",)),
        ("update", noun.offers("Update"), _changer, ("set",)),
        ("set", noun.offers("Put"), _changer, ()),
        ("delete", noun.offers("Delete"), _deleter, ()),
    ):
        if offered and name not in left_out:
            asks(app, name, aliases=aliases)(make(noun))


def _lister(noun: Noun) -> Verb:
    async def work(session: Session, domain: str | None = None) -> None:
        parent = await session.domain(domain) if noun.parent else ""
        show_all(session, noun, await Calls(session, noun).listed(parent))

    return _command(work, f"List the {noun.plural}{' of a domain' if noun.parent else ''}.", *_own(noun))


def show_all(session: Session, noun: Noun, resources: list[Any]) -> None:
    """A table of resources."""
    rows = [[cell(one) for _, cell in noun.columns] for one in resources]
    session.output.table([title for title, _ in noun.columns], rows, resources)


def _shower(noun: Noun) -> Verb:
    async def work(session: Session, name: str, domain: str | None = None) -> None:
        session.output.resource(await Calls(session, noun).one(await resource_name(session, noun.plural, name, domain)))

    return _command(work, f"Show {noun.one} whole.", _name(noun), *_own(noun))


def _creator(noun: Noun) -> Verb:
    async def work(session: Session, name: str, domain: str | None = None, **values: object) -> None:
        full = await resource_name(session, noun.plural, name, domain)
        created = await described(session, noun, full, values, update=False)
        done(session, await Calls(session, noun, force=bool(values.get("force"))).create(full, created.message))

    return _command(work, f"Create {noun.one}.", _name(noun), *_own(noun), *parameters(noun, update=False), *_forced(noun))


def _changer(noun: Noun) -> Verb:
    async def work(
        session: Session,
        name: str,
        domain: str | None = None,
        unset: list[str] | None = None,
        *,
        dry_run: bool = False,
        allow_loosening: bool = False,
        **values: object,
    ) -> None:
        full = await resource_name(session, noun.plural, name, domain)
        await change(session, noun, full, values, unset or (), dry_run=dry_run, loosens=allow_loosening)

    rest = "the rest stays as it is" if noun.offers("Update") else f"the rest stays; {noun.one} that does not exist is made"
    own = [_parameter("unset", _UNSET, None), _parameter("dry_run", DRY_RUN, default=False)]
    own.append(_parameter("allow_loosening", LOOSENING, default=False))
    return _command(
        work,
        f"Change what the options name of {noun.one}; {rest}.",
        _name(noun),
        *_own(noun),
        *parameters(noun, update=True),
        *own,
        *_forced(noun),
    )


async def change(
    session: Session, noun: Noun, name: str, values: dict[str, object], unset: Iterable[str] = (), *, dry_run: bool, loosens: bool
) -> None:
    """Change the named fields of a resource."""
    calls = Calls(session, noun, force=bool(values.get("force")))
    before = await calls.one(name) if noun.offers("Update") else await calls.existing(name)
    to = await described(session, noun, name, values, tuple(unset), update=before is not None)
    if before is not None and not to.paths:
        raise CommandError("nothing to change: name a field by its option, or with --unset", Exit.USAGE)
    after = to.message if before is None else masked(before, to.message, to.paths)
    difference = checked(session, before, after, loosens=loosens, dry_run=dry_run)
    if difference is not None:
        done(session, await calls.change(before, to.message, after, to.paths), difference)


async def put(session: Session, noun: Noun, before: Any, after: Any, *, dry_run: bool, loosens: bool) -> None:  # noqa: ANN401 (a resource)
    """Put a resource of which some fields were changed; `before` None: a new one."""
    difference = checked(session, before, after, loosens=loosens, dry_run=dry_run)
    if difference is not None:
        done(session, await Calls(session, noun).change(before, after, after, ()), difference)


def _deleter(noun: Noun) -> Verb:
    async def work(session: Session, name: str, domain: str | None = None) -> None:
        full = await resource_name(session, noun.plural, name, domain)
        await Calls(session, noun).delete(full)
        deleted(session, full)

    return _command(work, f"Delete {noun.one}.", _name(noun), *_own(noun))


def deleted(session: Session, name: str) -> None:
    """Says that a resource is gone."""
    if session.output.as_json:
        session.output.data({"deleted": name})
    session.output.line(f"{name} is deleted")


def done(session: Session, resource: Any, change: resources_pb2.Change | None = None) -> None:  # noqa: ANN401 (a resource of any type)
    """Shows a resource that was written, and what changed of it; without a change, or with nothing before it, it was created."""
    if session.output.as_json:
        session.output.message(resource)
        return
    created = change is None or change.action == resources_pb2.CHANGE_ACTION_CREATE
    if change is not None:
        show(session, change)
    session.output.line(f"{resource.name} is {'created' if created else 'changed'}")


def _command(work: Verb, help_: str, *own: inspect.Parameter) -> Verb:
    """Gives a verb its help and its parameters."""
    session = inspect.Parameter("session", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    work.__signature__ = inspect.Signature([session, *own])  # type: ignore[attr-defined]  # read by inspect
    work.__doc__ = help_
    return work


def _name(noun: Noun) -> inspect.Parameter:
    forms = f"`{noun.singular}`, `claims/{noun.singular}` or a resource name." if noun.parent else "Its id, or its resource name."
    return _parameter("name", Annotated[str, typer.Argument(help=forms)], inspect.Parameter.empty)


def _own(noun: Noun) -> list[inspect.Parameter]:
    """The domain, where resources belong to one."""
    return [_parameter("domain", DOMAIN, None)] if noun.parent else []


def _forced(noun: Noun) -> list[inspect.Parameter]:
    """`--force`, where resources name others."""
    return [_parameter("force", FORCE, default=False)] if noun.plural in _NAMING else []


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:  # noqa: ANN401 (whatever typer takes)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
