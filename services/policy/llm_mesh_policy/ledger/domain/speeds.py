"""How fast models produce output: measured on finished answers, so that unfinished ones can be charged by their time in flight.

Kept per model in memory and learned again after a start, from the ledger's newest entries. A measure rises quickly and falls slowly, and a
stream only raises it: a slow reader makes a stream slow, and must not make the next cancelled request cheap.
"""

from collections.abc import Iterable

from llm_mesh.policy.v1 import usage_pb2

_MOST_MODELS = 4096
_LEAST_TOKENS = 16
"""Shorter answers mostly measure how long the input took."""
_RISING, _FALLING = 0.5, 0.05
_SLOWEST, _FASTEST = 1.0, 100_000.0
_MICROS = 1_000_000


class Speeds:
    """Output tokens per second and choice, by model."""

    def __init__(self, default: float = 100.0) -> None:
        self._default = default
        self._measured: dict[str, float] = {}

    def of(self, model: str) -> float:
        """The measured speed of a model, or the default where nothing is measured."""
        return self._measured.get(model, self._default)

    def learn(self, lines: Iterable[usage_pb2.ChargeLine], candidates: int = 1) -> None:
        """Measures the finished lines of an entry. Several choices at once count as one: none of them is faster than all together."""
        for line in lines:
            report = line.usage
            finished = report.outcome == usage_pb2.ATTEMPT_OUTCOME_COMPLETED and report.source == usage_pb2.USAGE_SOURCE_PROVIDER
            tokens, duration = report.usage.output_tokens, report.duration_us
            if finished and tokens >= _LEAST_TOKENS and duration > 0:
                self._measure(line.model, tokens * _MICROS / duration / max(1, candidates), streamed=report.streamed)

    def _measure(self, model: str, speed: float, *, streamed: bool) -> None:
        speed = min(_FASTEST, max(_SLOWEST, speed))
        known = self._measured.get(model)
        if known is None:
            if len(self._measured) >= _MOST_MODELS:
                self._measured.pop(next(iter(self._measured)))
            self._measured[model] = max(speed, self._default) if streamed else speed
        elif speed > known:
            self._measured[model] = known + (speed - known) * _RISING
        elif not streamed:
            self._measured[model] = known + (speed - known) * _FALLING
