"""What callers ask for, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from llm_mesh.observability.v1 import observability_pb2
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import NamePattern

DOMAIN = NamePattern("domains/{domain}")
PROJECT = NamePattern("domains/{domain}/projects/{project}")
REQUEST = re.compile(r"domains/[a-z0-9-]{1,63}/projects/[a-z0-9-]{1,63}/reservations/[A-Za-z0-9-]{1,63}")

_ALL = "domains/-"
_DEFAULT_SPAN = timedelta(days=30)
_TAG_KEY = re.compile(r"[a-z0-9_-]{1,63}")
_LATEST = 1 << 62


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose requests: a project's, a domain's, or all."""

    domain: str = ""
    project: str = ""


@dataclass(frozen=True, slots=True)
class SpendQuery:
    """A question about spend; times in microseconds."""

    scope: Scope
    start: int
    end: int
    group_by: Sequence[observability_pb2.SpendDimension]
    tag_key: str
    offset: int
    limit: int


def scope_of(parent: str) -> Scope:
    """Whose requests a parent means."""
    if parent == _ALL:
        return Scope()
    if DOMAIN.matches(parent):
        return Scope(domain=parent)
    if PROJECT.matches(parent):
        return Scope(project=parent)
    raise invalid("parent", "must be domains/{domain}, domains/{domain}/projects/{project} or domains/-")


def checked_request(name: str, field: str) -> str:
    """The request's name, where it is one."""
    if REQUEST.fullmatch(name) is None:
        raise invalid(field, "must be of the form domains/{domain}/projects/{project}/reservations/{reservation}")
    return name


def span_of(request: observability_pb2.QuerySpendRequest) -> tuple[int, int]:
    """Begin and end of the time that is asked about."""
    end = _micros(request.end_time) if request.HasField("end_time") else None
    default = (datetime.now(UTC) if end is None else datetime.fromtimestamp(end / 1e6, UTC)) - _DEFAULT_SPAN
    start = _micros(request.start_time) if request.HasField("start_time") else int(default.timestamp() * 1_000_000)
    if end is not None and end <= start:
        raise invalid("end_time", "must be after start_time")
    return start, _LATEST if end is None else end


def check_dimensions(request: observability_pb2.QuerySpendRequest) -> None:
    """Whether it is clear what to sum by."""
    tagged = observability_pb2.SPEND_DIMENSION_TAG in request.group_by
    if tagged != bool(request.tag_key) or (tagged and _TAG_KEY.fullmatch(request.tag_key) is None):
        raise invalid("tag_key", "must be the key of a tag with SPEND_DIMENSION_TAG, and empty without")


def _micros(time: Timestamp) -> int:
    return time.ToMicroseconds()
