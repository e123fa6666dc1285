"""Which detectors are on for somebody, and what is done about findings."""

from collections.abc import Mapping, Sequence

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_policy.screening.domain.detectors import Detector, prefilter

LOGGED = policy_pb2.FINDING_ACTION_LOGGED
MASKED = policy_pb2.FINDING_ACTION_MASKED
BLOCKED = policy_pb2.FINDING_ACTION_BLOCKED
UNDECODABLE = "undecodable"
"""The class of what cannot be read: pictures, sound, other binary data, references to files, sealed reasoning, token ids."""


class Watchlist:
    """Made once per set of rules."""

    def __init__(self, detectors: Sequence[Detector], actions: Mapping[str, policy_pb2.FindingAction]) -> None:
        self.detectors = tuple(detector for detector in detectors if detector.name in actions)
        self.actions = dict(actions)
        self.undecodable = self.actions.get(UNDECODABLE)
        self._prefilter = prefilter(self.detectors) if self.detectors else None

    def may_find(self, text: bytes) -> bool:
        """False only where no detector's pattern occurs in the folded text, or in any part of it."""
        for detector in self.detectors:  # noqa: SIM110 - a generator costs more than the whole loop
            if detector.may_occur(text):
                return True
        return False

    def may_find_on_wire(self, raw: bytes) -> bool:
        """False only where a message, as it is on the wire, holds nothing of what is looked for."""
        if self.undecodable is not None:
            return True
        for detector in self.detectors:  # noqa: SIM110 - as above
            if detector.may_occur_on_wire(raw):
                return True
        return False

    def suspects(self, text: bytes) -> Sequence[Detector]:
        """The detectors whose pattern occurs in the text."""
        if self._prefilter is None or not self.may_find(text):
            return ()
        matched = self._prefilter.Match(text)
        return [self.detectors[index] for index in sorted(matched)] if matched else ()

    def __bool__(self) -> bool:
        return bool(self.detectors) or self.undecodable is not None
