"""Moments as the ledger counts them, in microseconds since 1970 UTC, and as messages have them.

Plain arithmetic: protobuf's own conversions are written in Python too, for all cases, and cost four times as much.
"""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

_SECOND = 1_000_000


def micros_of(moment: Timestamp) -> int:
    """The microseconds of a message."""
    return moment.seconds * _SECOND + moment.nanos // 1_000


def put_micros(moment: Timestamp | Duration, micros: int) -> None:
    """Writes microseconds, at least 0, into a message."""
    moment.seconds = micros // _SECOND
    moment.nanos = micros % _SECOND * 1_000
