"""A value that breaks its rule. Its path is put together while the checks return, so that good requests pay nothing for it."""

from __future__ import annotations

from llm_mesh_runtime.errors import MeshError, invalid

_LONGEST_KEY = 64


class BrokenRule(Exception):
    """Raised where a value stands; each check around it adds one step of the path."""

    def __init__(self, expected: str, *steps: str, group: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self._group = group
        """The name of a group of which one field must be set. It is in no path, but where the message is the request itself."""
        self._steps = list(steps)
        """From the value outwards: names of fields, and `[3]` for items and `[key]` for entries."""

    def within(self, step: str) -> None:
        """The value is in this field."""
        self._steps.append(step)

    def within_item(self, key: object) -> None:
        """The value is in this item of a list, or in this entry of a map."""
        self._steps.append(f"[{str(key)[:_LONGEST_KEY]}]")

    def error(self, field: str = "") -> MeshError:
        """INVALID_FIELD with the whole path; `field` names the message that was checked."""
        path = field
        for step in reversed(self._steps):
            path += step if step.startswith("[") or not path else f".{step}"
        return invalid(path or self._group, self.expected)
