"""How deeply JSON text is nested, told without parsing it: parsers and walkers of what strangers wrote use their stack for each level.

Light, since child processes load it.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Final

_BRACKETS: Final = b'"[]{}'
_OTHERS: Final = bytes(byte for byte in range(256) if byte not in _BRACKETS)
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\x00\x00")
_PIECE: Final = 1 << 14


def deeper_than(text: str | bytes, deepest: int) -> bool:
    """Whether arrays and objects are nested more than `deepest` deep. Text that is no JSON gets an answer as well.

    Nearly all JSON has fewer brackets than it may be deep, which is quick to see. Otherwise what stands in strings is left out, and the
    brackets that remain are counted up and down.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if raw.count(b"[") + raw.count(b"{") <= deepest:
        return False
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHERS)
    brackets = b"".join(plain.split(b'"')[::2])
    level = 0
    for begin in range(0, len(brackets), _PIECE):
        steps = (1 if step else -1 for step in brackets[begin : begin + _PIECE].translate(_STEPS))
        levels = list(accumulate(steps, initial=level))
        if max(levels) > deepest:
            return True
        level = levels[-1]
    return False
