"""Which detectors are on for whom: a central floor, and stricter rules of single domains above it."""

import re
from collections.abc import Callable, Iterable, Mapping

from llm_mesh.policy.v1 import floors_pb2, policy_pb2
from llm_mesh_policy.screening.domain.detectors import Detector, all_detectors
from llm_mesh_policy.screening.domain.watchlist import BLOCKED, LOGGED, MASKED, UNDECODABLE, Watchlist

_ACTIONS: Mapping[str, policy_pb2.FindingAction] = {"log": LOGGED, "mask": MASKED, "block": BLOCKED}
_BY_NUMBER: Mapping[int, policy_pb2.FindingAction] = {int(action): action for action in _ACTIONS.values()}
_RULE = re.compile(r"(?:(domains/[a-z0-9-]{1,63}):)?([a-z_]+)=(log|mask|block)")

ACTIONS: Mapping[int, policy_pb2.FindingAction] = {
    floors_pb2.SCREENING_ACTION_LOG: LOGGED,
    floors_pb2.SCREENING_ACTION_MASK: MASKED,
    floors_pb2.SCREENING_ACTION_BLOCK: BLOCKED,
}
"""What the actions of a floor are called among findings."""

Actions = dict[str, policy_pb2.FindingAction]
_MOST_OF_FLOORS = 256


def problem(rules: Iterable[str]) -> str:
    """What is wrong with rules as operators write them; empty where nothing is."""
    known = {UNDECODABLE, *(detector.name for detector in all_detectors())}
    for rule in rules:
        parsed = _RULE.fullmatch(rule)
        if parsed is None or parsed[2] not in known:
            return f"expected DETECTOR=log|mask|block or domains/NAME:DETECTOR=…, with one of {', '.join(sorted(known))}"
    return ""


class ScreeningRules:
    """The rules of a mesh. Actions only grow stricter: a domain's rule below the floor has no effect.

    `floors` answers with what the platform's floor of a domain does at least, by detector.
    """

    def __init__(self, rules: Iterable[str], floors: Callable[[str], Actions] = lambda domain: {}) -> None:  # noqa: ARG005
        self._of_floor = floors
        self._of_floors: dict[tuple[str, tuple[tuple[str, int], ...]], Watchlist] = {}
        self._admitted: dict[tuple[tuple[str, int], ...], Watchlist] = {}
        self._detectors: tuple[Detector, ...] = all_detectors()
        self._known = {UNDECODABLE, *(detector.name for detector in self._detectors)}
        self._floor: Actions = {}
        self._domains: dict[str, Actions] = {}
        for rule in rules:
            parsed = _RULE.fullmatch(rule)
            if parsed is None:
                raise ValueError(problem([rule]))
            own = self._domains.setdefault(parsed[1], {}) if parsed[1] else self._floor
            own[parsed[2]] = max(own.get(parsed[2], LOGGED), _ACTIONS[parsed[3]])
        self._general = Watchlist(self._detectors, self._floor)
        self._special = {domain: Watchlist(self._detectors, self._above(actions)) for domain, actions in self._domains.items()}

    def of(self, domain: str) -> Watchlist:
        """What holds for a domain: the settings and its floor, by the stricter."""
        actions = self._of_floor(domain)
        if not actions:
            return self._special.get(domain, self._general)
        place = (domain, tuple(sorted((name, int(action)) for name, action in actions.items())))
        watchlist = self._of_floors.get(place)
        if watchlist is None:
            if len(self._of_floors) >= _MOST_OF_FLOORS:
                self._of_floors.clear()
            own = self._above(self._domains.get(domain, {}))
            merged = {name: max(action, own.get(name, LOGGED)) for name, action in actions.items() if name in self._known}
            watchlist = self._of_floors[place] = Watchlist(self._detectors, {**own, **merged})
        return watchlist

    def by_actions(self, actions: Mapping[str, int]) -> Watchlist:
        """What held at admission, as its sealed state has it. Patterns are put together once for all streams of the same rules."""
        place = tuple(sorted(actions.items()))
        watchlist = self._admitted.get(place)
        if watchlist is None:
            if len(self._admitted) >= _MOST_OF_FLOORS:
                self._admitted.clear()
            watchlist = self._admitted[place] = Watchlist(self._detectors, {name: _BY_NUMBER[action] for name, action in actions.items()})
        return watchlist

    def _above(self, own: Actions) -> Actions:
        merged = dict(self._floor)
        for name, action in own.items():
            merged[name] = max(action, merged.get(name, LOGGED))
        return merged
