"""Pages of lists as AIP-158 has them: opaque tokens that only continue the list for which they were made."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from llm_mesh_runtime.errors import invalid

T = TypeVar("T")

DEFAULT_SIZE = 50
LARGEST_SIZE = 1000
_SCOPE_BYTES = 6


class ListRequest(Protocol):
    """A request of any list method."""

    page_size: int
    page_token: str


@dataclass(frozen=True, slots=True)
class Page:
    """The wanted part of a list that is sorted by a text key: fetch `limit` rows whose key comes after `after`."""

    size: int
    after: str
    scope: bytes

    @property
    def limit(self) -> int:
        """One row more than is shown, to know whether there is another page."""
        return self.size + 1

    def cut(self, rows: Sequence[T], key: Callable[[T], str]) -> tuple[Sequence[T], str]:
        """The rows to show, and the token of the next page; empty where this is the last."""
        if len(rows) <= self.size:
            return rows, ""
        shown = rows[: self.size]
        return shown, base64.urlsafe_b64encode(self.scope + key(shown[-1]).encode()).decode()


def page_of(request: ListRequest, *query: str) -> Page:
    """The page that a request wants; `query` is everything that the list depends on, such as its parent and filters."""
    if not 0 <= request.page_size <= LARGEST_SIZE:
        raise invalid("page_size", f"must be 0 to {LARGEST_SIZE}")
    scope = hashlib.sha256("\x00".join(query).encode()).digest()[:_SCOPE_BYTES]
    after = ""
    if request.page_token:
        try:
            token = base64.urlsafe_b64decode(request.page_token.encode())
            listing, after = token[:_SCOPE_BYTES], token[_SCOPE_BYTES:].decode()
        except (binascii.Error, ValueError) as error:
            raise _foreign() from error
        if listing != scope:
            raise _foreign()
    return Page(request.page_size or DEFAULT_SIZE, after, scope)


def _foreign() -> Exception:
    return invalid("page_token", "must be the next_page_token of an answer to the same request")
