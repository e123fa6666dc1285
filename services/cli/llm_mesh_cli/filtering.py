"""Which requests of the ledger are shown: by time, and by what an entry has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc, usage_pb2
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.paging import pages
from llm_mesh_cli.shown import enum_text
from llm_mesh_cli.texts import ago

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session

Since = Annotated[str | None, typer.Option("--since", help="From when on: `24h`, `30d`, or a time.")]
Until = Annotated[str | None, typer.Option("--until", help="Until when, not included: `1h` ago, or a time. Default: now.")]
_PARTS: dict[str, Callable[[usage_pb2.LedgerEntry], Sequence[str]]] = {
    "alias": lambda entry: [entry.alias],
    "model": lambda entry: [part for line in entry.lines for part in (line.model, line.model.rpartition("/")[2])],
    "endpoint": lambda entry: [line.endpoint for line in entry.lines],
    "principal": lambda entry: _short(entry.principal),
    "key": lambda entry: _short(entry.key),
    "operation": lambda entry: [entry.operation],
    "state": lambda entry: [enum_text(usage_pb2.ReservationState.DESCRIPTOR, entry.state)],
    "reason": lambda entry: [reason for reason in (entry.refused_reason, *(line.usage.error_reason for line in entry.lines)) if reason],
    "failed": lambda entry: ["yes" if _failed(entry) else "no"],
}
_TAG = "tag."
_LONGEST_BACKLOG = 1000
"""As many older requests as a tail tells."""
Entries = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PART=VALUE",
        help=f"Only requests with this; repeatable. PART is one of {', '.join(_PARTS)}, or `tag.KEY`; VALUE may end in `*`.",
    ),
]


def matching(only: Sequence[str]) -> Callable[[usage_pb2.LedgerEntry], bool]:
    """Whether an entry has all that is asked for."""
    tests = [_test(pair) for pair in only]
    return lambda entry: all(test(entry) for test in tests)


def _test(pair: str) -> Callable[[usage_pb2.LedgerEntry], bool]:
    part, sign, value = pair.partition("=")
    if not sign or not (part in _PARTS or part.startswith(_TAG)):
        raise CommandError(f"--only {pair}: expected PART=VALUE, where PART is one of {', '.join(_PARTS)}, or tag.KEY", Exit.USAGE)

    def values(entry: usage_pb2.LedgerEntry) -> Sequence[str]:
        if part.startswith(_TAG):
            return [entry.tags[part.removeprefix(_TAG)]] if part.removeprefix(_TAG) in entry.tags else []
        return _PARTS[part](entry)

    if value.endswith("*"):
        return lambda entry: any(each.startswith(value[:-1]) for each in values(entry))
    return lambda entry: value in values(entry)


def _failed(entry: usage_pb2.LedgerEntry) -> bool:
    """Also what was refused before any attempt."""
    return entry.state == usage_pb2.RESERVATION_STATE_REFUSED or any(line.usage.error_reason for line in entry.lines)


def _short(name: str) -> Sequence[str]:
    return [name, name.rpartition("/")[2]]


async def between(
    session: Session, request: ledger_pb2.ListLedgerEntriesRequest, since: str | None, until: str | None, only: Sequence[str], count: int
) -> AsyncIterator[usage_pb2.LedgerEntry]:
    """Entries of the ledger, newest first, that were reserved in a time; it stops where older ones begin."""
    begin, end = period(since, until)
    matches = matching(only)
    stub = ledger_pb2_grpc.LedgerServiceStub(session.channel("policy"))
    async for answer in pages(stub.ListLedgerEntries, request):
        for entry in answer.entries:
            at = entry.reserve_time.ToDatetime(tzinfo=UTC)
            if begin is not None and at < begin:
                return
            if (end is None or at < end) and matches(entry):
                yield entry
                count -= 1
                if not count:
                    return


def period(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Begin and end of a time. USAGE where it ends before it begins."""
    begin = ago(since) if since else None
    end = ago(until) if until else None
    if begin and end and end <= begin:
        raise CommandError(f"--until {until} is not after --since {since}", Exit.USAGE)
    return begin, end


class Selection:
    """Which of the requests that come are shown. The first message of a tail with a backlog is the backlog."""

    def __init__(self, only: Sequence[str], time: tuple[datetime | None, datetime | None], most: int) -> None:
        self._matches = matching(only)
        self._begin, self._end = time
        self._most = most
        self._waits_for_backlog = bool(most)
        narrowed = bool(only) or self._begin is not None or self._end is not None
        self.backlog = _LONGEST_BACKLOG if most and narrowed else most
        """How many older requests are asked for, so that the wanted number can be among them."""

    @property
    def ended(self) -> bool:
        """Whether nothing that comes can be in the time any more."""
        return self._end is not None and self._end <= datetime.now(UTC)

    def of(self, entries: Iterable[usage_pb2.LedgerEntry]) -> list[usage_pb2.LedgerEntry]:
        """Those to show; of the backlog the newest."""
        shown = [entry for entry in entries if self._is_in_time(entry) and self._matches(entry)]
        if self._waits_for_backlog:
            self._waits_for_backlog = False
            return shown[-self._most :]
        return shown

    def _is_in_time(self, entry: usage_pb2.LedgerEntry) -> bool:
        at = entry.reserve_time.ToDatetime(tzinfo=UTC)
        return (self._begin is None or at >= self._begin) and (self._end is None or at < self._end)
