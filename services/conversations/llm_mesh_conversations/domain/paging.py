"""Pages of items, which the id of an item continues."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.conversations.v1 import items_pb2
from llm_mesh_runtime.errors import invalid

_DEFAULT = 50


def page_size(page: items_pb2.ItemPage) -> int:
    """How many items a page has."""
    return page.page_size or _DEFAULT


def cut(items: Sequence[items_pb2.Item], page: items_pb2.ItemPage) -> tuple[Sequence[items_pb2.Item], str]:
    """The page of a whole list, and the token of the next one."""
    begin = 0
    if page.page_token:
        begin = next((place + 1 for place, item in enumerate(items) if item.id == page.page_token), 0)
        if not begin:
            raise foreign_token()
    return shown(items[begin : begin + page_size(page) + 1], page)


def shown(items: Sequence[items_pb2.Item], page: items_pb2.ItemPage) -> tuple[Sequence[items_pb2.Item], str]:
    """The items of a page, and the token of the next one, where one more than it has was read."""
    size = page_size(page)
    return items[:size], items[size - 1].id if len(items) > size else ""


def foreign_token() -> Exception:
    """A token that does not continue this list."""
    return invalid("page.page_token", "must be the id of an item of this list")
