"""Whatever a hostile or broken peer of the batched link says: a typed fault or nothing, no crash, no hang, nothing left behind."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.link.hostile import TO_CALLEE, TO_CALLER, Said, callee_hears, caller_hears, listener_hears
from tests.proofs.proof import Measures

_CASES = {"callee": 200, "caller": 200, "listener": 40}
_FEW = 3
_CONVERSATIONS = 50


@dataclass
class HostileLinks:
    """The claim."""

    name = "hostile-links"
    claim = (
        "Random conversations with frames that are truncated, out of order, repeated, too large, without sense, of unknown calls and "
        "kinds, with forged credit and forged sizes, said to both ends of the batched link, and over gRPC to a listener that serves "
        "others meanwhile. Always: the peer is told `PROTOCOL_VIOLATION` or `UNSUPPORTED_VERSION`, or nothing; each call ends; no "
        "handler, no room and no call stays behind; what waits to be sent is bounded; others are served. "
        f"Each case is {_CONVERSATIONS} conversations."
    )

    def cases(self, *, full: bool) -> Sequence[str]:
        """Many for each end, or a few."""
        return [f"{end}/{number:03}" for end, most in _CASES.items() for number in range(most if full else _FEW)]

    @contextmanager
    def stand(self, folder: Path, cases: Sequence[str]) -> Iterator[None]:
        """Nothing to stand on: each conversation has ends of its own."""
        del folder, cases
        yield

    def show(self, stand: None, case: str, rng: random.Random) -> Measures:
        """Some conversations."""
        del stand
        end = case.partition("/")[0]
        hears: Callable[[Said, bool], Awaitable[bool]] = {
            "callee": lambda said, holding: callee_hears(said, holding=holding),
            "caller": lambda said, _holding: caller_hears(said),
            "listener": lambda said, _holding: listener_hears(said),
        }[end]
        ended: list[bool] = []
        frames: list[int] = []

        def conversation(said: Said, holding: bool) -> None:  # noqa: FBT001 - drawn
            frames.append(len(said.frames))
            ended.append(asyncio.run(_awaited(hears(said, holding))))

        drawn: Any = given(TO_CALLER if end == "caller" else TO_CALLEE, st.booleans())(conversation)
        phases = [Phase.generate, Phase.shrink]
        quiet = settings(max_examples=_CONVERSATIONS, deadline=None, database=None, phases=phases, suppress_health_check=[*HealthCheck])
        seed(rng.getrandbits(32))(quiet(drawn))()
        return {"conversations": len(ended), "frames": sum(frames), "connections ended by a typed fault": sum(ended)}


async def _awaited(hears: Awaitable[bool]) -> bool:
    return await hears
