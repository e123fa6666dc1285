"""How long a sound can be at most, from its bytes alone: what providers bill by its length is reserved by that."""

from __future__ import annotations

import struct

_HEAD = struct.Struct("<4sI4s4sIHHIIH")
_PCM = 1
_MOST_SAMPLES = 384_000
_LEAST_BITS = 4_000
"""Bits of a second of sound that formats for speech need at least. A model's `audio_seconds` bounds it better."""


def longest_milliseconds(data: bytes) -> int:
    """Exact for WAV files with plain samples, by the lowest rate for all others."""
    if len(data) >= _HEAD.size:
        riff, _, wave, form, _, kind, channels, samples, _, block = _HEAD.unpack_from(data)
        plain = (riff, wave, form, kind) == (b"RIFF", b"WAVE", b"fmt ", _PCM)
        if plain and channels and block and 0 < samples <= _MOST_SAMPLES:
            return -(-1000 * len(data) // int(samples * block))
    return -(-8_000 * len(data) // _LEAST_BITS)
