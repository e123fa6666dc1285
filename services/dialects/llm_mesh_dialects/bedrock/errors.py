"""What the dialect says of a failure: its type in the header `x-amzn-errortype` or in the body, its words in `message`."""

from __future__ import annotations

from typing import NamedTuple

EXCEPTION = "Exception"


class Complaint(NamedTuple):
    """What a server said of a failure; empty where it did not say. The type has no namespace, and begins with a capital letter."""

    message: str = ""
    type: str = ""


def complaint(body: object, type_of_header: str = "") -> Complaint:
    """Reads an error, whatever its shape."""
    error = body if isinstance(body, dict) else {}
    message = next((error[key] for key in ("message", "Message", "originalMessage") if isinstance(error.get(key), str)), "")
    named = type_of_header or error.get("__type") or error.get("code") or ""
    word = named if isinstance(named, str) else ""
    word = word.rpartition("#")[2].partition(":")[0]  # `com.amazon.coral#ValidationException:http://…`
    return Complaint(message, word[:1].upper() + word[1:])
