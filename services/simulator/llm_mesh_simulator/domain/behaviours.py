"""Which behaviour the next request to a model meets: what was set for it, else what its name says, and how often it has failed."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from llm_mesh_simulator.domain.behaviour import Behaviour, Fault
from llm_mesh_simulator.domain.script import behaviour_of

_MAX_MODELS = 4096


class Behaviours:
    """Behaviours set for models, and the count of requests that a limited failure needs."""

    def __init__(self) -> None:
        self._set: dict[str, tuple[Behaviour, ...]] = {}
        self._named: OrderedDict[str, Behaviour] = OrderedDict()
        self._requests: dict[str, int] = {}

    def next(self, model: str) -> Behaviour:
        """The behaviour for one more request to this model. Fails when its name is a script that does not exist."""
        sequence = self._set.get(model)
        if sequence is None:
            behaviour = self._by_name(model)
            if not behaviour.first:
                return behaviour
            sequence = (behaviour,)
        count = self._requests.get(model, 0)
        self._requests[model] = count + 1
        behaviour = sequence[min(count, len(sequence) - 1)]
        if behaviour.first and count >= behaviour.first:
            return replace(behaviour, status=0, fault=Fault.NONE)
        return behaviour

    def put(self, model: str, sequence: Sequence[Behaviour]) -> None:
        """Sets what the next requests to a model meet, one after the other; the last one stays. Starts counting anew."""
        self._set[model] = tuple(sequence)
        self._requests.pop(model, None)

    def drop(self, model: str) -> bool:
        """Back to what the name says, and to a count of zero."""
        self._requests.pop(model, None)
        return self._set.pop(model, None) is not None

    def clear(self) -> None:
        """Forgets everything that was set or counted."""
        self._set.clear()
        self._requests.clear()

    def all(self) -> Mapping[str, tuple[Behaviour, ...]]:
        """What is set, by model."""
        return self._set

    def _by_name(self, model: str) -> Behaviour:
        known = self._named.get(model)
        if known is None:
            known = self._named[model] = behaviour_of(model)
            if len(self._named) > _MAX_MODELS:
                self._named.popitem(last=False)
        return known
