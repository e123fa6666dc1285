"""The calls of a kind of resource: lists are read to their end, and what does not exist is named with the nearest names that do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from llm_mesh_cli.existing import missing
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.paging import pages

if TYPE_CHECKING:
    from llm_mesh_cli.nouns.noun import Noun
    from llm_mesh_cli.session import Session

_TIMEOUT = 30.0
_ALLOWS = "allow_missing_targets"


class Calls:
    """What a session may ask about one kind of resource."""

    def __init__(self, session: Session, noun: Noun, *, force: bool = False) -> None:
        self._force = force
        """Whether what a resource names need not exist."""
        self._noun = noun
        self._channel = session.channel(noun.service)

    async def listed(self, parent: str = "", **only: object) -> list[Any]:
        """All of them, with what the list may be restricted to."""
        noun = self._noun
        request = noun.request("List")
        if parent and "parent" in request.DESCRIPTOR.fields_by_name:
            request.parent = parent
        for name, value in only.items():
            setattr(request, name, value)
        return [one async for page in pages(noun.rpc(self._channel, "List"), request) for one in getattr(page, noun.plural)]

    async def one(self, name: str) -> Any:  # noqa: ANN401 (a resource of any type)
        """The resource of that name; NOT_FOUND with the nearest names."""
        current = await self.existing(name)
        if current is None:
            raise CommandError(await self._missing(name), Exit.NOT_FOUND)
        return current

    async def existing(self, name: str) -> Any:  # noqa: ANN401 (likewise)
        """The resource of that name; None where there is none."""
        noun = self._noun
        if not noun.has_get:
            alike = {name, f"{noun.plural}/{name.rpartition('/')[2]}"}  # built-in roles belong to no domain
            resources = {one.name: one for one in await self.listed(_parent(name)) if one.name in alike}
            return resources.get(name) or next(iter(resources.values()), None)
        request = noun.request("Get")
        request.name = name
        try:
            answer = await noun.rpc(self._channel, "Get")(request, timeout=_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise
        return getattr(answer, noun.singular)

    async def create(self, name: str, message: Any) -> Any:  # noqa: ANN401 (likewise)
        """Create a resource."""
        noun = self._noun
        request = noun.request("Create")
        if "parent" in request.DESCRIPTOR.fields_by_name:
            request.parent = _parent(name)
        setattr(request, f"{noun.singular}_id", name.rpartition("/")[2])
        getattr(request, noun.singular).CopyFrom(message)
        self._allow_missing(request)
        return getattr(await noun.rpc(self._channel, "Create")(request, timeout=_TIMEOUT), noun.singular)

    async def change(self, before: Any, message: Any, after: Any, paths: tuple[str, ...]) -> Any:  # noqa: ANN401 (likewise)
        """Change the named fields, unless somebody else changed the resource meanwhile; None before: put a new one."""
        noun = self._noun
        verb = "Update" if noun.offers("Update") else "Put"
        request = noun.request(verb)
        getattr(request, noun.singular).CopyFrom(message if noun.has_masks else after)
        sent = getattr(request, noun.singular)
        if before is not None and "etag" in sent.DESCRIPTOR.fields_by_name:
            sent.etag = before.etag
        if noun.has_masks:
            request.update_mask.paths.extend(paths)
        self._allow_missing(request)
        return getattr(await noun.rpc(self._channel, verb)(request, timeout=_TIMEOUT), noun.singular)

    def _allow_missing(self, request: Any) -> None:  # noqa: ANN401 (a request of any type)
        if self._force and _ALLOWS in request.DESCRIPTOR.fields_by_name:
            setattr(request, _ALLOWS, True)

    async def delete(self, name: str) -> None:
        """Delete a resource."""
        request = self._noun.request("Delete")
        request.name = name
        try:
            await self._noun.rpc(self._channel, "Delete")(request, timeout=_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise CommandError(await self._missing(name), Exit.NOT_FOUND) from None
            raise

    async def _missing(self, name: str) -> str:
        try:
            names = [one.name for one in await self.listed(_parent(name))]
        except grpc.aio.AioRpcError:
            names = []  # who may not list gets no suggestion
        return missing(self._noun.singular, name, names)


def _parent(name: str) -> str:
    """The domain or adapter list of a name: `domains/claims` of `domains/claims/routes/main`, nothing of `domains/claims`."""
    owner, _, _ = name.rpartition("/")
    return owner.rpartition("/")[0]
