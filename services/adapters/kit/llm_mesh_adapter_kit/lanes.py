"""Bulkhead and breaker per credential, endpoint and model: one that fails or fills does not take the others along."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from llm_mesh.adapter.v1 import adapter_pb2, errors_pb2
from llm_mesh_adapter_kit.breaker import Breaker, BreakerState
from llm_mesh_adapter_kit.bulkhead import FairPlaces, MakePlaces, Places, own_places
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_runtime.shares import RESERVE, Party
from llm_mesh_runtime.telemetry.metrics import Metrics

_MOST_IDLE = 4_096
_MOST_HURRIED = 1_024
"""Domains of one lane whose own limits have a breaker."""
_FULL_RETRY = 0.25
_ANOTHER_PROBES = 1.0
_FAULTS = frozenset(
    {
        errors_pb2.ERROR_REASON_PROVIDER_UNREACHABLE,
        errors_pb2.ERROR_REASON_PROVIDER_RESET,
        errors_pb2.ERROR_REASON_PROVIDER_TIMEOUT,
        errors_pb2.ERROR_REASON_PROVIDER_ERROR,
        errors_pb2.ERROR_REASON_PROVIDER_MALFORMED,
    }
)
_STATES = {
    BreakerState.CLOSED: adapter_pb2.BREAKER_STATE_CLOSED,
    BreakerState.HALF_OPEN: adapter_pb2.BREAKER_STATE_HALF_OPEN,
    BreakerState.OPEN: adapter_pb2.BREAKER_STATE_OPEN,
}
_WORST = (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED)


class LaneKey(NamedTuple):
    """What shares one bulkhead and one breaker."""

    endpoint: str
    credential: str
    model: str


class EndpointGauge(Protocol):
    """Calls in flight, as the metrics show them."""

    def inc(self) -> None:
        """A call begins."""

    def dec(self) -> None:
        """A call has ended."""


class Lane:
    """The breaker and the bulkhead of one endpoint and model."""

    __slots__ = ("breaker", "endpoint", "gauge", "hurried", "places", "probe")

    def __init__(self, endpoint: str, breaker: Breaker, gauge: EndpointGauge, places: FairPlaces, probe: Places) -> None:
        self.endpoint = endpoint
        self.breaker = breaker
        self.gauge = gauge
        self.places = places
        self.probe = probe
        """The one place for who finds out whether the provider is back, however many processes wait for it."""
        self.hurried: dict[str, Breaker] = {}
        """By domain, for attempts with limits of their own: that a provider is slower than a route allows says nothing to other domains."""


class Lanes:
    """All lanes of an adapter."""

    def __init__(
        self, metrics: Metrics, now: Callable[[], float] = time.monotonic, places: MakePlaces = own_places, reserve: float = RESERVE
    ) -> None:
        self._reserve = reserve
        self._now = now
        self._places = places
        self._lanes: dict[tuple[str, str, str], Lane] = {}
        self._refused = metrics.counter("llm_mesh.adapter.refused", "Calls that the breaker or bulkhead refused.", ("endpoint", "reason"))
        self._in_flight = metrics.gauge("llm_mesh.adapter.in_flight", "Calls to providers in flight.", ("endpoint",))
        self._opened = metrics.counter("llm_mesh.adapter.breaker.opened", "How often a breaker opened.", ("endpoint",))

    def enter(self, endpoint: Endpoint, credential: str, model: str, party: Party, *, hurried: bool = False) -> Lane:
        """The lane of a call that may be made for a party. It must be left again. `hurried`: the attempt has limits of its own."""
        lane = self._lanes.get((endpoint.name, credential, model)) or self._lane(endpoint, LaneKey(endpoint.name, credential, model))
        if not lane.places.take(party):
            full = lane.places.taken >= endpoint.max_in_flight
            why = "has its most calls in flight" if full else "has as many calls in flight as one domain or project may have there now"
            raise self._refusal(errors_pb2.ERROR_REASON_BULKHEAD_FULL, endpoint.name, why, _FULL_RETRY)
        wait = lane.breaker.admit()
        if wait is None and lane.breaker.probing and not lane.probe.take(1):
            lane.breaker.left()
            wait = _ANOTHER_PROBES
        if wait is None and hurried:
            wait = self._hurried(lane, party.domain).admit()
            if wait is not None:
                self._nothing_learnt(lane)
        if wait is not None:
            lane.places.give(party)
            raise self._refusal(errors_pb2.ERROR_REASON_BREAKER_OPEN, endpoint.name, "fails too often at present", wait)
        lane.gauge.inc()
        return lane

    def leave(self, lane: Lane, party: Party, error: BaseException | None, *, hurried: bool = False) -> None:
        """The call has ended. How tells the breaker how the provider does; a timeout under limits of its own tells that of its domain."""
        lane.places.give(party)
        lane.gauge.dec()
        late = isinstance(error, AdapterError) and error.reason == errors_pb2.ERROR_REASON_PROVIDER_TIMEOUT
        if hurried:
            own = self._hurried(lane, party.domain)
            (own.failed if late else own.succeeded if error is None else own.left)()
        if error is None:
            lane.breaker.succeeded()
        elif hurried and late:
            lane.breaker.left()
        elif isinstance(error, AdapterError):
            self._learn(lane, error)
        else:
            lane.breaker.left()  # the caller went away, or the mesh is at fault
        if lane.probe.taken and not lane.breaker.probing:
            lane.probe.give()

    def _hurried(self, lane: Lane, domain: str) -> Breaker:
        own = lane.hurried.get(domain)
        if own is None:
            if len(lane.hurried) >= _MOST_HURRIED:
                lane.hurried.clear()
            own = lane.hurried[domain] = Breaker(self._now)
        return own

    @staticmethod
    def _nothing_learnt(lane: Lane) -> None:
        lane.breaker.left()
        if lane.probe.taken:
            lane.probe.give()

    def stand(self, endpoint: str) -> tuple[adapter_pb2.BreakerState, int]:
        """How an endpoint stands: the worst of its breakers, and its calls in flight."""
        lanes = [lane for key, lane in self._lanes.items() if key[0] == endpoint]
        states = {lane.breaker.state for lane in lanes} or {BreakerState.CLOSED}
        worst = next(state for state in _WORST if state in states)
        return _STATES[worst], sum(lane.places.taken for lane in lanes)

    def renew(self, endpoint: str) -> None:
        """Another server answers under this name by now: what breakers have learnt is forgotten."""
        for key, lane in self._lanes.items():
            if key[0] == endpoint:
                lane.breaker = Breaker(self._now)
                lane.hurried.clear()
                if lane.probe.taken:
                    lane.probe.give()

    def tripped(self) -> Iterator[tuple[LaneKey, adapter_pb2.BreakerState]]:
        """The lanes whose breaker is not closed."""
        for key, lane in list(self._lanes.items()):
            if (state := lane.breaker.state) is not BreakerState.CLOSED:
                yield LaneKey(*key), _STATES[state]

    def _learn(self, lane: Lane, error: AdapterError) -> None:
        if error.of_one_request:
            lane.breaker.succeeded()
        elif error.reason == errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED:
            lane.breaker.throttled(error.retry_after)
        elif error.reason in _FAULTS:
            lane.breaker.failed()
        elif error.reason == errors_pb2.ERROR_REASON_NO_CREDENTIAL:
            lane.breaker.left()  # a signer had none: nothing was sent
        else:
            lane.breaker.succeeded()  # it refused for a reason of its own: it is alive
        if lane.breaker.state is BreakerState.OPEN:
            self._opened.labels(lane.endpoint).inc()

    def _refusal(self, reason: int, endpoint: str, why: str, wait: float) -> AdapterError:
        error = AdapterError(reason, f"endpoint {endpoint} {why}", retry_after=wait, endpoint=endpoint, sent="false")
        self._refused.labels(endpoint, error.reason_name).inc()
        return error

    def _lane(self, endpoint: Endpoint, key: LaneKey) -> Lane:
        if len(self._lanes) >= _MOST_IDLE:
            self._forget()
        self._show_zeros(key.endpoint)
        places = FairPlaces(self._places, key, endpoint.max_in_flight, self._reserve)
        lane = self._lanes[key] = Lane(
            key.endpoint, Breaker(self._now), self._in_flight.labels(key.endpoint), places, self._places(*key, "probe")
        )
        return lane

    def _show_zeros(self, endpoint: str) -> None:
        """Counters begin at 0: what is first seen at 1 has not increased, by Prometheus' reckoning."""
        self._opened.labels(endpoint)
        for reason in (errors_pb2.ERROR_REASON_BULKHEAD_FULL, errors_pb2.ERROR_REASON_BREAKER_OPEN):
            self._refused.labels(endpoint, AdapterError(reason, "").reason_name)

    def _forget(self) -> None:
        """Models come and go; what is idle and healthy is as good as new."""
        idle = [key for key, lane in self._lanes.items() if not lane.places.taken and lane.breaker.state is BreakerState.CLOSED]
        for key in idle:
            del self._lanes[key]
