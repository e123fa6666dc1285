"""The simulator's own token counter, so that usage is exact and can be recomputed by any test.

A token is at most one space followed by up to six word characters or by up to three other characters, or a run of white
space. Joined in order, the tokens of a text are the text.
"""

import re
from collections.abc import Sequence

_TOKEN = re.compile(r" ?\w{1,6}| ?[^\w\s]{1,3}|\s+")

PER_MESSAGE = 4
"""Tokens that each message costs beside its content."""
PER_REQUEST = 3
"""Tokens that prime the answer, once per request."""
PER_IMAGE = 765
"""Tokens of an image, whatever its size."""
PER_IMAGE_LOW = 85
"""Tokens of an image sent with `detail: low`."""
PER_FILE = 250
"""Tokens of a file or a document that is not plain text."""
PER_AUDIO = 100
"""Tokens of a piece of audio."""


def split(text: str) -> list[str]:
    """The tokens of a text, in order."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """How many tokens a text has."""
    return len(_TOKEN.findall(text))


def cut(tokens: Sequence[str], limit: int | None) -> tuple[list[str], bool]:
    """At most `limit` tokens, and whether any were cut off."""
    if limit is None or len(tokens) <= limit:
        return list(tokens), False
    return list(tokens[: max(limit, 0)]), True
