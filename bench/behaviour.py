"""How the fake upstream behaves for one request: said in the prompt, so that one mesh before one upstream serves every scenario.

`#bench delay=20 pace=10 chunks=100#` anywhere in a request; without it the answer comes at once, and a stream in one write.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

OPEN, CLOSE = b"#bench ", b"#"
CHUNKS = 100


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What is wanted of the upstream."""

    delay: float = 0.0
    """Milliseconds before the first byte."""
    pace: float = 0.0
    """Milliseconds between the chunks of a stream; 0 sends them in one write."""
    chunks: int = CHUNKS
    status: int = 200
    hang: int = 0
    """1: no answer ever."""
    stall: int = 0
    """As many chunks, and then nothing more; needs a pace."""
    tool: int = 0
    """1: asks for a tool until the request holds the tool's result."""
    words: int = 0
    """Words of the answer's text beyond the usual ones."""

    def marker(self) -> str:
        """What to put into a prompt; empty where nothing is out of the ordinary."""
        usual = Behaviour()
        words = [
            f"{field.name}={getattr(self, field.name):g}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(usual, field.name)
        ]
        return f"{OPEN.decode()}{' '.join(words)}{CLOSE.decode()} " if words else ""


USUAL = Behaviour()


@cache
def _parsed(text: bytes) -> Behaviour:
    kinds = {field.name: type(getattr(USUAL, field.name)) for field in fields(Behaviour)}
    words = dict(word.split("=", 1) for word in text.decode().split())
    values: dict[str, Any] = {name: kinds[name](float(value)) for name, value in words.items()}
    return Behaviour(**values)


def behaviour_of(request: bytes) -> Behaviour:
    """What a request asks for."""
    at = request.find(OPEN)
    if at < 0:
        return USUAL
    begun = at + len(OPEN)
    return _parsed(request[begun : request.index(CLOSE, begun)])
