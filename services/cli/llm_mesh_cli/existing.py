"""Domains, projects and principals that a command names: one that does not exist is an error, not an empty table."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.paging import pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from llm_mesh.policy.v1.identity_pb2_grpc import IdentityServiceStub
    from llm_mesh_cli.session import Session

_BUILT_IN = frozenset({"domains/-", "domains/platform", "domains/shared"})
_PROJECTS = "/projects/"
_PRINCIPALS = "/principals/"
_LISTED = 1000
"""Names that a suggestion is looked for among."""


async def existing(session: Session, name: str) -> str:
    """The name, where it exists or the caller may not know whether it does."""
    import grpc  # noqa: PLC0415 (only what asks a mesh loads it)

    from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc  # noqa: PLC0415 (likewise)

    if name in _BUILT_IN or name.endswith("/-"):
        return name
    stub = identity_pb2_grpc.IdentityServiceStub(session.channel("policy"))
    try:
        if _PROJECTS in name:
            await stub.GetProject(identity_pb2.GetProjectRequest(name=name))
        else:
            await stub.GetDomain(identity_pb2.GetDomainRequest(name=name))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.PERMISSION_DENIED:
            return name
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        raise CommandError(await _missing(stub, name), Exit.NOT_FOUND) from None
    return name


async def check_principal(session: Session, name: str) -> None:
    """NOT_FOUND, with the nearest that exist, where a principal does not. Passes where the caller may not list them."""
    import grpc  # noqa: PLC0415 (only what asks a mesh loads it)

    from llm_mesh.policy.v1 import identity_pb2_grpc  # noqa: PLC0415 (likewise)

    stub = identity_pb2_grpc.IdentityServiceStub(session.channel("policy"))
    try:
        names = [each async for each in _names(stub, name)]
    except grpc.aio.AioRpcError as error:
        if error.code() not in {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND}:
            raise
        return
    if name not in names and len(names) < _LISTED:
        raise CommandError(missing("principal", name, names), Exit.NOT_FOUND)


async def _missing(stub: IdentityServiceStub, name: str) -> str:
    """What is said of a name that does not exist, with the nearest ones that do."""
    import grpc  # noqa: PLC0415 (only what asks a mesh loads it)

    try:
        names = [each.rpartition("/")[2] async for each in _names(stub, name)]
    except grpc.aio.AioRpcError:
        names = []  # who may not list gets no suggestion
    return missing("project" if _PROJECTS in name else "domain", name, names)


def missing(kind: str, name: str, names: Iterable[str], *, whole: bool = False) -> str:
    """What is said of a resource that does not exist: the nearest of these names are suggested, by their last parts or as a `whole`."""
    return f"there is no {kind} {name}{suggestion(_end(name, whole=whole), {_end(each, whole=whole) for each in names})}"


def suggestion(name: str, names: Iterable[str]) -> str:
    """`; did you mean …?` with the nearest of these names; empty where none is near."""
    near = get_close_matches(name, list(names), n=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _end(name: str, *, whole: bool) -> str:
    return name if whole else name.rpartition("/")[2]


async def _names(stub: IdentityServiceStub, name: str) -> AsyncIterator[str]:
    from llm_mesh.policy.v1 import identity_pb2  # noqa: PLC0415 (likewise)

    method: Any
    request: Any
    if _PROJECTS in name:
        method, request, field = stub.ListProjects, identity_pb2.ListProjectsRequest(parent=name.partition(_PROJECTS)[0]), "projects"
    elif _PRINCIPALS in name:
        parent = name.partition(_PRINCIPALS)[0]
        method, request, field = stub.ListPrincipals, identity_pb2.ListPrincipalsRequest(parent=parent), "principals"
    else:
        method, request, field = stub.ListDomains, identity_pb2.ListDomainsRequest(), "domains"
    seen = 0
    async for page in pages(method, request):
        listed = getattr(page, field)
        for each in listed:
            yield each.name
        seen += len(listed)
        if seen >= _LISTED:
            return
