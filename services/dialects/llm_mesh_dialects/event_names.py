"""Names of server-sent events. A name stands in a line of its own: with a line break in it, a provider could write events of its choice."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"[a-z0-9_.]{1,128}")


def is_event_name(name: str) -> bool:
    """Whether a provider's event may be passed on under this name."""
    return _NAME.fullmatch(name) is not None
