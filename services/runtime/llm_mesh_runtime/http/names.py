"""Names of headers, each checked once."""

from __future__ import annotations

FORBIDDEN = "a header of the answer has a character that no header may have"
_IN_NAMES = bytes(each for each in range(0x21, 0x100) if each not in b'()<>@,;:\\[]={}"\x7f')
_MOST_NAMES = 1024


class Names:
    """How the headers of a listener's answers begin, each checked once: there are few, and every answer has a dozen."""

    def __init__(self) -> None:
        self.known: dict[bytes, bytes] = {}

    def checked(self, name: bytes) -> bytes:
        """The name in lower case, and what stands between it and the value."""
        if not name or name.translate(None, _IN_NAMES):
            raise RuntimeError(FORBIDDEN)
        begins = name.lower() + b": "
        if len(self.known) < _MOST_NAMES:
            self.known[name] = begins
        return begins
