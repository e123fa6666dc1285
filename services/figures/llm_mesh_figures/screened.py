"""What screening found, in one line for headers, error details and people: `request.credit_card.masked=2, answer.email.blocked=1`.

A dictionary by RFC 8941. It names detectors and counts, never what was found.
"""

from __future__ import annotations

from collections.abc import Iterable

from llm_mesh.policy.v1 import usage_pb2

REQUEST = usage_pb2.SCREENING_DIRECTION_REQUEST
ANSWER = usage_pb2.SCREENING_DIRECTION_ANSWER
_MOST = 64


def screened_text(counts: Iterable[usage_pb2.ScreeningCount]) -> str:
    """The line; empty where nothing was found."""
    texts = []
    for count in counts:
        direction = "answer" if count.direction == ANSWER else "request"
        for action, number in (("noted", count.logged), ("masked", count.masked), ("blocked", count.blocked)):
            if number:
                texts.append(f"{direction}.{count.detector}.{action}={number}")
    return ", ".join(texts[:_MOST])
