"""The words by which the adapter and the child processes that render chat templates understand each other."""

from __future__ import annotations

from typing import Final

CHECK: Final = b"check"
RENDER: Final = b"render"
OK: Final = b"ok"
UNKNOWN: Final = b"unknown"
"""The child has not compiled the template yet."""
WRONG: Final = b"wrong"
"""The template cannot be compiled."""
REFUSES: Final = b"refuses"
"""The template failed, or refused the conversation."""
REACHES: Final = b"reaches"
"""The template tried to reach what the sandbox keeps from it."""
LONG: Final = b"long"
"""The text is longer than it may be."""
