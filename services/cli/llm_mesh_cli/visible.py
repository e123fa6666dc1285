"""Text of others for a terminal: names, comments and answers are written by whoever may, and must not drive it."""

from __future__ import annotations

import json

_LAYOUT = "\n\t"


def visible(text: str) -> str:
    """The text with a mark for each character that nobody sees: controls, escapes, what turns the direction of writing."""
    if text.isprintable():
        return text
    return "".join(letter if letter in _LAYOUT or letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def visible_json(text: str) -> str:
    """The same JSON, in which such characters are escaped."""
    if text.isprintable():
        return text
    return "".join(letter if letter in _LAYOUT or letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


def on_one_line(text: str) -> str:
    """What somebody wrote, so that it looks like no line of the command's own."""
    return " ".join(text.splitlines())
