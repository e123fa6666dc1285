"""What both ends of the batched link agree on: kinds of frames, limits, and how metadata and failures are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import grpc

from llm_mesh.link.v1 import errors_pb2, link_pb2
from llm_mesh.mesh.v1 import errors_pb2 as mesh_errors_pb2
from llm_mesh_runtime.errors import MeshError, RuntimeFault
from llm_mesh_runtime.pipeline.transport import MAX_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_mesh_runtime.links.local.exchange import CallState

Metadata = tuple[tuple[str, str | bytes], ...]

PATH = "/llm_mesh.link.v1.LinkService/Connect"
VERSION = 1
WINDOW = 64 * 1024
"""Credit of each call at its beginning, and what a reader that stands still makes its writer wait at."""
OVERHEAD = 256
"""What a message costs beyond its bytes, so that empty ones are not free."""
PIECE = 64 * 1024
TOO_LONG = "a piece is no longer than HELLO allows"
BATCH = 128 * 1024
"""A batch that holds so much is sent; so a small call waits for no more than this of its big neighbours."""
MAX_BATCH = 1024 * 1024
MAX_METADATA = 16 * 1024
MAX_CALLS = 4096
MAX_CREDIT = 2**31 - 1
LARGEST = MAX_MESSAGE + 64 * 1024
"""With room above the limit, as on plain gRPC: the pipeline refuses what is a little too large, with its own words."""

OPEN: int = link_pb2.FRAME_KIND_OPEN
MESSAGE: int = link_pb2.FRAME_KIND_MESSAGE
HEADERS: int = link_pb2.FRAME_KIND_HEADERS
END: int = link_pb2.FRAME_KIND_END
CANCEL: int = link_pb2.FRAME_KIND_CANCEL
CREDIT: int = link_pb2.FRAME_KIND_CREDIT
HELLO: int = link_pb2.FRAME_KIND_HELLO
PING: int = link_pb2.FRAME_KIND_PING
PONG: int = link_pb2.FRAME_KIND_PONG
GO_AWAY: int = link_pb2.FRAME_KIND_GO_AWAY

CODES: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class LinkFault(MeshError):
    """The reasons for which a connection ends."""

    reasons = errors_pb2.ErrorReason


def violation(rule: str) -> MeshError:
    """The other side breaks a rule of the link."""
    return LinkFault(errors_pb2.ERROR_REASON_PROTOCOL_VIOLATION, f"the peer breaks a rule of the link: {rule}", rule=rule)


def unsupported(version: int) -> MeshError:
    """The other side speaks no version that this one does."""
    message = f"this side speaks version {VERSION} of the link, the other one {version}"
    return LinkFault(errors_pb2.ERROR_REASON_UNSUPPORTED_VERSION, message, version=str(VERSION))


def too_large(limit: int = MAX_MESSAGE) -> MeshError:
    """A message over the limit."""
    return RuntimeFault(mesh_errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE, f"the message is larger than {limit} bytes", limit_bytes=str(limit))


def hello() -> link_pb2.Hello:
    """This build's version and limits."""
    return link_pb2.Hello(
        version=VERSION, window=WINDOW, max_piece=PIECE, max_message=LARGEST, max_metadata=MAX_METADATA, max_calls=MAX_CALLS
    )


def checked(frame: Any, *, serves: bool) -> link_pb2.Hello:  # noqa: ANN401 (a frame)
    """The other side's HELLO, which must be its first frame."""
    if frame.kind != HELLO or frame.call or not frame.HasField("hello"):
        raise violation("the first frame is HELLO")
    limits: link_pb2.Hello = frame.hello
    if limits.version < 1:
        raise unsupported(limits.version)
    if not 0 < limits.window <= MAX_CREDIT or limits.max_piece < 1024 or not limits.max_message or (serves and not limits.max_calls):  # noqa: PLR2004
        raise violation("HELLO has limits that allow no call")
    return limits


def packed(metadata: Iterable[tuple[str, str | bytes]]) -> list[bytes]:
    """Metadata as a frame has them."""
    flat: list[bytes] = []
    for name, value in metadata:
        flat.append(name.encode())
        flat.append(value.encode() if isinstance(value, str) else value)
    return flat


def unpacked(flat: Sequence[bytes], limit: int = MAX_METADATA) -> Metadata:
    """The metadata of a frame."""
    if len(flat) % 2 or sum(map(len, flat)) > limit:
        raise violation("metadata are pairs, within the limit")
    try:
        return tuple(_pair(flat[at], flat[at + 1]) for at in range(0, len(flat), 2))
    except UnicodeDecodeError:
        raise violation("metadata are ASCII, unless their names end with -bin") from None


def _pair(name: bytes, value: bytes) -> tuple[str, str | bytes]:
    key = name.decode("ascii")
    return (key, bytes(value)) if key.endswith("-bin") else (key, value.decode("ascii"))


def refuse(exchange: CallState, fault: MeshError) -> None:
    """End a call with a typed error."""
    from llm_mesh_runtime.status import trailers  # noqa: PLC0415 - google.rpc is only loaded once something fails

    exchange.trailing = trailers(fault)
    exchange.finish(fault.code, fault.message)


def draining(peer: str) -> MeshError:
    """The callee takes no new calls on this connection."""
    return RuntimeFault(mesh_errors_pb2.ERROR_REASON_DRAINING, f"{peer} shuts down", retry_after=1.0)


def unavailable(peer: str) -> MeshError:
    """The callee cannot be reached."""
    return RuntimeFault(mesh_errors_pb2.ERROR_REASON_PEER_UNAVAILABLE, f"{peer} does not answer", retry_after=1.0, peer=peer)
