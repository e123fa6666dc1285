"""What a refusal says, over gRPC, taken from the wire's own `google.rpc.Status`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2


@dataclass(frozen=True)
class Refusal:
    """One refusal."""

    code: grpc.StatusCode
    message: str
    reason: str = ""
    domain: str = ""
    field: str = ""
    quota: tuple[str, ...] = ()
    reasons: int = 0
    """How many `ErrorInfo` it has; there must be one."""


def refusal(error: Any) -> Refusal:
    """What an error of a call says."""
    trailers = {name: value for name, value in error.trailing_metadata() or () if name == "grpc-status-details-bin"}
    status = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b""))
    infos, fields, quotas = [], [], []
    for detail in status.details:
        info, bad, quota = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.QuotaFailure()
        if detail.Unpack(info):
            infos.append(info)
        elif detail.Unpack(bad):
            fields += [violation.field for violation in bad.field_violations]
        elif detail.Unpack(quota):
            quotas += [violation.subject for violation in quota.violations]
    first = infos[0] if infos else error_details_pb2.ErrorInfo()
    return Refusal(error.code(), error.details() or "", first.reason, first.domain, ",".join(fields), tuple(quotas), len(infos))


def refused(call: Callable[[], Any]) -> Refusal:
    """The refusal of a call that must be refused, whole or streamed."""
    with pytest.raises(grpc.RpcError) as raised:
        _read(call())
    return refusal(raised.value)


def _read(answer: Any) -> None:
    if hasattr(answer, "__next__"):
        list(answer)
