"""The messages of a prompt, by who speaks: what is not named of a version stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import grpc

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.inference.v1 import content_pb2
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_runtime.peer_errors import from_rpc_error

if TYPE_CHECKING:
    from llm_mesh.catalogue.v1 import catalogue_pb2_grpc

ROLES = {"system": content_pb2.ROLE_SYSTEM, "developer": content_pb2.ROLE_DEVELOPER, "user": content_pb2.ROLE_USER,
         "assistant": content_pb2.ROLE_ASSISTANT}  # fmt: skip
"""By name, in the order in which they begin a prompt."""
_MISSING = frozenset({"PROMPT_NOT_FOUND", "NOT_FOUND"})


async def newest_messages(catalogue: catalogue_pb2_grpc.CatalogueServiceStub, prompt: str) -> Sequence[catalogue_pb2.MessageTemplate]:
    """The messages of a prompt's newest version; none where there is no prompt or version yet."""
    try:
        answer = await catalogue.GetVersion(catalogue_pb2.GetVersionRequest(name=f"{prompt}/versions/latest"))
    except grpc.aio.AioRpcError as error:
        if from_rpc_error(error).reason_name in _MISSING:
            return ()
        raise
    return answer.version.messages


def replaced(
    prompt: str, messages: Iterable[catalogue_pb2.MessageTemplate], templates: Mapping[str, str | None]
) -> list[catalogue_pb2.MessageTemplate]:
    """The messages with other templates for some roles; None leaves a role out."""
    result = list(messages)
    for name, template in templates.items():
        role = ROLES[name]
        places = [index for index, message in enumerate(result) if message.role == role]
        if len(places) > 1:
            raise CommandError(f"{prompt} has several {name} messages: write all of them as `messages` in a file for apply", Exit.USAGE)
        message = [] if template is None else [catalogue_pb2.MessageTemplate(role=role, template=template)]
        begin = places[0] if places else _place(result, role)
        result[begin : begin + len(places)] = message
    return result


def _place(messages: Sequence[catalogue_pb2.MessageTemplate], role: content_pb2.Role) -> int:
    """Where the first message of a role goes: behind those of roles that come before it."""
    before = list(ROLES.values())[: list(ROLES.values()).index(role)]
    return max((index + 1 for index, message in enumerate(messages) if message.role in before), default=0)
