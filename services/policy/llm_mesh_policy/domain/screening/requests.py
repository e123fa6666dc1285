"""Screening of a whole request: its texts one by one, off the event loop where they are long."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from google.protobuf.message import Message

from llm_mesh.policy.v1 import errors_pb2, policy_pb2
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.domain.screening.scan import Scan, Watchlist
from llm_mesh_policy.domain.screening.streams import BIG

M = TypeVar("M", bound=Message)
_MOST_FINDINGS = 100


class Slot(Protocol):
    """One text where it stands."""

    @property
    def field(self) -> str:
        """Its place."""

    @property
    def text(self) -> str:
        """The text."""

    @property
    def replace(self) -> Callable[[str], None]:
        """Puts another text in its place."""


@dataclass(frozen=True, slots=True)
class Screened(Generic[M]):
    """What came of it; `masked` only where something was replaced."""

    masked: M | None = None
    findings: Sequence[policy_pb2.Finding] = ()


_CLEAN: Screened[Any] = Screened()


async def screened(message: M, raw: bytes, texts: Callable[[M], Iterator[Slot]], watchlist: Watchlist, *, escapes: bool) -> Screened[M]:
    """Screens a request, given as it is on the wire too. CONTENT_BLOCKED where something in it must not leave.

    Where all of its texts stand as they are on the wire, a look there tells of most requests that they hold nothing; only
    JSON of a dialect, which may have escapes, does not.
    """
    if not watchlist or not (escapes or watchlist.may_find(raw)):
        return _CLEAN
    if len(raw) > BIG:
        result = await asyncio.to_thread(_screen, message, texts, watchlist)
    else:
        result = _screen(message, texts, watchlist)
    blocked = {each.detector for each in result.findings if each.action == policy_pb2.FINDING_ACTION_BLOCKED}
    if blocked:
        named = ", ".join(sorted(blocked))
        raise PolicyError(errors_pb2.ERROR_REASON_CONTENT_BLOCKED, f"the request holds what must not leave: {named}", detectors=named)
    return result


def _screen(message: M, texts: Callable[[M], Iterator[Slot]], watchlist: Watchlist) -> Screened[M]:
    suspicious = [number for number, slot in enumerate(texts(message)) if watchlist.suspects(slot.text.encode())]
    if not suspicious:
        return _CLEAN
    copy = type(message)()
    copy.CopyFrom(message)
    findings: list[policy_pb2.Finding] = []
    masked = _replaced(list(texts(copy)), suspicious, watchlist, findings)
    return Screened(copy if masked else None, findings[:_MOST_FINDINGS])


def _replaced(slots: Sequence[Slot], suspicious: Sequence[int], watchlist: Watchlist, findings: list[policy_pb2.Finding]) -> bool:
    masked = False
    for number in suspicious:
        slot = slots[number]
        scan = Scan(watchlist, slot.field)
        text = scan.push(slot.text.encode(), final=True).decode()
        findings += scan.findings
        if text != slot.text and not scan.blocked:
            slot.replace(text)
            masked = True
    return masked
