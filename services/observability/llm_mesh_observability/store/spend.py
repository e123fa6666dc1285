"""The question about spend, as one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, cast, func, literal, select
from sqlalchemy.types import BigInteger

from llm_mesh.observability.v1 import observability_pb2 as pb
from llm_mesh_figures.money import NANO
from llm_mesh_observability.domain.queries import SpendQuery
from llm_mesh_observability.store.tables import LINES, TAGS

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_TIMES: Mapping[int, int] = {pb.SPEND_DIMENSION_HOUR: _HOUR, pb.SPEND_DIMENSION_DAY: _DAY}
_COLUMNS: Mapping[int, str] = {
    pb.SPEND_DIMENSION_DOMAIN: "domain",
    pb.SPEND_DIMENSION_PROJECT: "project",
    pb.SPEND_DIMENSION_KEY: "api_key",
    pb.SPEND_DIMENSION_PRINCIPAL: "principal",
    pb.SPEND_DIMENSION_MODEL: "model",
    pb.SPEND_DIMENSION_ALIAS: "alias",
}
SUMS: Sequence[str] = ("charged", "estimated", "requests", "failed", "input_tokens", "output_tokens", "cached_input_tokens")


def statement(query: SpendQuery) -> Select[Any]:
    """Sums by currency and the wanted dimensions: time ascending first, then the largest charge."""
    dimensions = [_dimension(dimension).label(f"d{index}") for index, dimension in enumerate(query.group_by)]
    sums = [part for name in SUMS for part in _parts(name)]
    select_lines = select(LINES.c.currency, *dimensions, *sums).where(LINES.c.at >= query.start, LINES.c.at < query.end)
    if query.scope.project:
        select_lines = select_lines.where(LINES.c.project == query.scope.project)
    elif query.scope.domain:
        select_lines = select_lines.where(LINES.c.domain == query.scope.domain)
    if query.tag_key:
        select_lines = select_lines.outerjoin_from(LINES, TAGS, (TAGS.c.entry == LINES.c.entry) & (TAGS.c.tag == literal(query.tag_key)))
    times = [column for column, dimension in zip(dimensions, query.group_by, strict=True) if dimension in _TIMES]
    whole, rest = func.sum(LINES.c.charged // NANO), func.sum(LINES.c.charged % NANO)
    order = [*times, (whole + rest // NANO).desc(), (rest % NANO).desc(), *dimensions, LINES.c.currency]
    return select_lines.group_by(LINES.c.currency, *dimensions).order_by(*order).offset(query.offset).limit(query.limit)


def _parts(name: str) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """A sum in two parts, units and the rest, neither of which overflows: engines refuse a sum beyond 64 bits, and with it the report."""
    column = LINES.c[name]
    return (
        cast(func.sum(column // NANO), BigInteger).label(f"{name}_units"),
        cast(func.sum(column % NANO), BigInteger).label(f"{name}_rest"),
    )


def _dimension(dimension: int) -> ColumnElement[Any]:
    if dimension == pb.SPEND_DIMENSION_TAG:
        return func.coalesce(TAGS.c.value, literal(""))
    if dimension in _TIMES:
        return LINES.c.at - LINES.c.at % _TIMES[dimension]
    return LINES.c[_COLUMNS[dimension]]
