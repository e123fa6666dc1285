"""What the other mesh says of its own charge, as far as a ledger takes it: it is a stranger's word, and bounded."""

from __future__ import annotations

import re
from typing import Final

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_kit.errors import escaped

CURRENCY: Final = re.compile("[A-Z]{3}")
_LONGEST = 255
_NONE = usage_pb2.USAGE_SOURCE_UNSPECIFIED


def charge_in(receipt: gateway_pb2.Receipt) -> usage_pb2.UpstreamCharge | None:
    """The charge; None where there is no receipt, or one that cannot be."""
    charged = receipt.charged
    if charged.nanos < 0 or (charged.nanos and not CURRENCY.fullmatch(charged.currency)):
        return None
    if not receipt.reservation and not receipt.HasField("charged"):
        return None
    charge = usage_pb2.UpstreamCharge(
        charge=charged,
        reservation=escaped(receipt.reservation, _LONGEST),
        model=escaped(receipt.model, _LONGEST),
        replayed=receipt.replayed,
    )
    if not CURRENCY.fullmatch(charged.currency):
        charge.charge.currency = ""
    return charge


def source_in(receipt: gateway_pb2.Receipt) -> usage_pb2.UsageSource:
    """Who says the figures of the answer: the provider behind the other mesh, or that mesh, which counted. Unspecified: it does not say."""
    lines = receipt.first.lines if receipt.replayed else receipt.lines
    completed = [line for line in lines if line.usage.outcome == usage_pb2.ATTEMPT_OUTCOME_COMPLETED]
    return completed[-1].usage.source if completed else _NONE
