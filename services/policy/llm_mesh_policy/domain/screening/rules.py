"""Which detectors are on for whom: a central floor, and stricter rules of single domains above it."""

import re
from collections.abc import Iterable, Mapping

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_policy.domain.screening.detectors import Detector, all_detectors
from llm_mesh_policy.domain.screening.scan import BLOCKED, LOGGED, MASKED, Watchlist

_ACTIONS: Mapping[str, policy_pb2.FindingAction] = {"log": LOGGED, "mask": MASKED, "block": BLOCKED}
_BY_NUMBER: Mapping[int, policy_pb2.FindingAction] = {int(action): action for action in _ACTIONS.values()}
_RULE = re.compile(r"(?:(domains/[a-z0-9-]{1,63}):)?([a-z_]+)=(log|mask|block)")

Actions = dict[str, policy_pb2.FindingAction]


def problem(rules: Iterable[str]) -> str:
    """What is wrong with rules as operators write them; empty where nothing is."""
    known = {detector.name for detector in all_detectors()}
    for rule in rules:
        parsed = _RULE.fullmatch(rule)
        if parsed is None or parsed[2] not in known:
            return f"expected DETECTOR=log|mask|block or domains/NAME:DETECTOR=…, with one of {', '.join(sorted(known))}"
    return ""


class ScreeningRules:
    """The rules of a mesh. Actions only grow stricter: a domain's rule below the floor has no effect."""

    def __init__(self, rules: Iterable[str]) -> None:
        self._detectors: tuple[Detector, ...] = all_detectors()
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
        """What holds for a domain."""
        return self._special.get(domain, self._general)

    def by_actions(self, actions: Mapping[str, int]) -> Watchlist:
        """What held at admission, as its sealed state has it."""
        return Watchlist(self._detectors, {name: _BY_NUMBER[action] for name, action in actions.items()})

    def _above(self, own: Actions) -> Actions:
        merged = dict(self._floor)
        for name, action in own.items():
            merged[name] = max(action, merged.get(name, LOGGED))
        return merged
