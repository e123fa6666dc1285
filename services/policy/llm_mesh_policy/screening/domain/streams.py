"""Screening an answer while it comes: pieces in, releasable text out, each channel on its own."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson

from llm_mesh.policy.v1 import admission_pb2, policy_pb2
from llm_mesh_figures.screened import ANSWER as DIRECTION
from llm_mesh_policy.screening.domain.rules import ScreeningRules
from llm_mesh_policy.screening.domain.scan import Scan
from llm_mesh_policy.screening.domain.seals import ScreeningSeals, opened_admission, opened_state, sealed_state
from llm_mesh_policy.screening.domain.trail import ANSWER, Counts, ScreeningRecord, ScreeningTrail, record_of, screening_counts
from llm_mesh_policy.screening.domain.watchlist import BLOCKED, Watchlist
from llm_mesh_runtime.errors import invalid, invalid_seal

BIG = 8 * 1024
MOST_FINDINGS = 100
_MOST_CHANNELS = 1024
_LONGEST_CHANNEL = 64
_JSON_CHANNEL = "tool_call"
_MOST_HELD = 256 * 1024
"""Characters of an answer that may wait for a decision: what is looked for is short, so more of them are a flood of invisible ones."""


def state_of(admission_id: str, watchlist: Watchlist, seals: ScreeningSeals) -> bytes:
    """What a stream is screened by: the rules of the admission, sealed, so that a later change does not tear an answer."""
    payload = orjson.dumps({"admission": admission_id, "actions": {name: int(action) for name, action in watchlist.actions.items()}})
    return sealed_state(payload, seals)


class StreamScreening:
    """Runs screening streams."""

    def __init__(self, rules: ScreeningRules, seals: ScreeningSeals, trail: ScreeningTrail[Any]) -> None:
        self._rules = rules
        self._seals = seals
        self._trail = trail

    async def screen(self, requests: AsyncIterator[policy_pb2.ScreenStreamRequest]) -> AsyncIterator[policy_pb2.ScreenStreamResponse]:
        """Answers each piece, in order. Ends with the requests, or when something is blocked.

        A channel may begin after all earlier ones have ended, so that only the end of the requests says that there is no more.
        """
        channels: Channels | None = None
        try:
            async for request in requests:
                if channels is None:
                    channels = self._started(request)
                    continue
                if request.WhichOneof("kind") != "text":
                    raise invalid("text", "text after the start")
                response = await channels.take(request.text)
                yield response
                if response.blocked:
                    return
            if channels is None:
                raise invalid("start", "a start as the first message")
            if not channels.complete:
                raise invalid("text.final", "a final piece on every channel before the end")
        finally:
            if channels is not None and channels.counts:
                self._trail.write_soon(channels.record())

    def _started(self, request: policy_pb2.ScreenStreamRequest) -> "Channels":
        if request.WhichOneof("kind") != "start":
            raise invalid("start", "a start as the first message")
        admission = opened_admission(request.start.admission, self._seals)
        state = orjson.loads(opened_state(request.start.screen_state, self._seals))
        if state["admission"] != admission.id:
            raise invalid_seal("screen state")
        return Channels(self._rules.by_actions(state["actions"]), admission)


class _Channel:
    """One channel: its scan, and which pieces are decided."""

    def __init__(self, watchlist: Watchlist, field: str, *, json: bool) -> None:
        self.scan = Scan(watchlist, field, json=json)
        self.expected = 0
        self.through = -1
        self.ended = False
        self._reported = 0
        self._length = 0
        self._ends: deque[int] = deque()

    def passed(self, length: int) -> None:
        """Notes that a piece was pushed, and which pieces are decided by now."""
        self.expected += 1
        self._length += length
        self._ends.append(self._length)
        while self._ends and (self.ended or self._ends[0] <= self.scan.decided):
            self._ends.popleft()
            self.through += 1

    def news(self) -> Sequence[policy_pb2.Finding]:
        """Findings that became whole since the last call."""
        begin, self._reported = self._reported, self.scan.whole
        return self.scan.findings[begin : self._reported]


class Channels:
    """The channels of one stream."""

    def __init__(self, watchlist: Watchlist, admission: admission_pb2.Admission) -> None:
        self._watchlist = watchlist
        self._admission = admission
        self.counts: Counts = Counter()
        self._channels: dict[tuple[str, int], _Channel] = {}

    def record(self) -> ScreeningRecord:
        """What the audit trail says of the answer. The ledger's entry names the admission, too."""
        allowed = not any(action == BLOCKED for _, action in self.counts)
        beside = f"; admission {self._admission.id}"
        return record_of(self._admission.caller, ANSWER, self.counts, allowed=allowed, beside=beside)

    @property
    def complete(self) -> bool:
        """Every channel that was begun has ended."""
        return all(channel.ended for channel in self._channels.values())

    async def take(self, piece: policy_pb2.ScreenText) -> policy_pb2.ScreenStreamResponse:
        """Screens one piece; INVALID_FIELD where one before it is missing."""
        channel = self._channel(piece)
        if piece.seq != channel.expected:
            raise invalid("text.seq", f"{channel.expected} on {piece.channel}[{piece.index}], without gaps")
        text, scan = piece.text, channel.scan
        if len(text) > BIG:
            released = await asyncio.to_thread(scan.push, text, final=piece.final)
        else:
            released = scan.push(text, final=piece.final)
        channel.ended = piece.final or scan.blocked
        if scan.held > _MOST_HELD:
            raise invalid("text.text", f"no secret that goes on for more than {_MOST_HELD} characters of which most are invisible")
        channel.passed(len(text) if text.isascii() else len(text.encode()))
        news = channel.news()
        counts: Counts = Counter([(finding.detector, finding.action) for finding in news]) if news else Counter()
        self.counts.update(counts)
        return policy_pb2.ScreenStreamResponse(
            channel=piece.channel,
            index=piece.index,
            released_text=released,
            through_seq=channel.through,
            findings=news[:MOST_FINDINGS],
            blocked=scan.blocked,
            screened=screening_counts(counts, DIRECTION) if news else (),
        )

    def _channel(self, piece: policy_pb2.ScreenText) -> _Channel:
        place = (piece.channel, piece.index)
        channel = self._channels.get(place)
        if channel is None:
            if not 0 < len(piece.channel) <= _LONGEST_CHANNEL:
                raise invalid("text.channel", f"1 to {_LONGEST_CHANNEL} characters")
            if len(self._channels) >= _MOST_CHANNELS:
                raise invalid("text.channel", f"at most {_MOST_CHANNELS} channels")
            channel = self._channels[place] = _Channel(
                self._watchlist, f"{piece.channel}[{piece.index}]", json=piece.channel == _JSON_CHANNEL
            )
        if channel.ended:
            raise invalid("text.final", f"nothing after the final piece of {piece.channel}[{piece.index}]")
        return channel
