"""Fields of what the gateway sends to its peers, as the caller of the gateway names them.

Policy is asked with a message of its own, in which the input stands under another name and a prompt's messages stand before the caller's.
"""

from __future__ import annotations

import re

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_runtime.errors import MeshError, PeerError

_INPUTS = "|".join(field.name for field in policy_pb2.AdmitRequest.DESCRIPTOR.oneofs_by_name["input"].fields)
_INPUT = re.compile(rf"^(?:{_INPUTS})(?=[.\[]|$)")
_MESSAGE = re.compile(r"^input\.messages\[(\d+)\]")


def in_callers_words(failure: MeshError, rendered: int) -> MeshError:
    """The failure, with its field renamed in place. `rendered` is how many messages of a prompt come before the caller's."""
    field = _named(failure.field, rendered)
    if field != failure.field:
        failure.message = failure.message.replace(failure.field, field)
        failure.field = field
        if isinstance(failure, PeerError):
            failure.details = b""  # they name the field as the peer does
    return failure


def _named(field: str, rendered: int) -> str:
    named = _INPUT.sub("input", field)
    if not rendered or (match := _MESSAGE.match(named)) is None:
        return named
    place, rest = int(match.group(1)), named[match.end() :]
    return f"options.prompt.messages[{place}]{rest}" if place < rendered else f"input.messages[{place - rendered}]{rest}"
