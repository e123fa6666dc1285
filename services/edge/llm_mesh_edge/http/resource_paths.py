"""Paths that have the id of a resource in them."""

from __future__ import annotations

from llm_mesh_edge.domain.failures import placed
from llm_mesh_edge.http.exchange import HttpExchange

_LONGEST = 128


def identity_in(exchange: HttpExchange, begin: str, end: str = "") -> str:
    """The id in the path. What cannot be one is told as one that is not known: there is no such resource either way."""
    text = exchange.path.removeprefix(begin)
    text = text.removesuffix(end) if end else text
    return text if len(text) <= _LONGEST and text.isascii() and text.isprintable() else "-"


def name_fields(exchange: HttpExchange, names: dict[str, str]) -> None:
    """Have failures name fields of the typed contract as the dialect does."""
    exchange.place = lambda failure: placed(failure, lambda field, _: names.get(field, field), {})
