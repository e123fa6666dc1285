"""Resource names as AIP-122 has them: `domains/{domain}/routes/{route}`, ids `[a-z0-9-]{1,63}`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from llm_mesh_runtime.errors import invalid

_ID = re.compile(r"[a-z0-9-]{1,63}")
ALIAS = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
"""By what applications address a model."""


class NamePattern:
    """One kind of resource name; parses and makes names of it."""

    def __init__(self, template: str, *, segment: str = _ID.pattern) -> None:
        self.template = template
        self._pattern = re.compile("/".join(f"({segment})" if part.startswith("{") else re.escape(part) for part in template.split("/")))

    def matches(self, name: str) -> bool:
        """Whether the name is of this kind."""
        return self._pattern.fullmatch(name) is not None

    def parse(self, name: str, field: str = "name") -> tuple[str, ...]:
        """The ids in the name, in their order; INVALID_FIELD where it is not of this kind."""
        match = self._pattern.fullmatch(name)
        if match is None:
            raise invalid(field, f"must be of the form {self.template}, with ids of 1 to 63 of a-z, 0-9 and -")
        return match.groups()

    def format(self, *ids: str) -> str:
        """The name with these ids."""
        remaining = iter(ids)
        return "/".join(next(remaining) if part.startswith("{") else part for part in self.template.split("/"))


def checked_id(value: str, field: str) -> str:
    """The id, where it is `[a-z0-9-]{1,63}`."""
    if _ID.fullmatch(value) is None:
        raise invalid(field, "must be 1 to 63 of a-z, 0-9 and -")
    return value


def checked_alias(value: str, field: str) -> str:
    """The alias, where it is `[A-Za-z0-9._:/-]{1,128}`."""
    if ALIAS.fullmatch(value) is None:
        raise invalid(field, "must be 1 to 128 of A-Z, a-z, 0-9 and . _ : / -")
    return value


def is_within(name: str, parent: str) -> bool:
    """Whether the resource is the parent or below it."""
    return name == parent or name.startswith(parent + "/")


def domain_of(name: str) -> str:
    """The domain of an absolute name: `domains/claims` of `domains/claims/roles/reader`."""
    return "/".join(name.split("/", 2)[:2])


def is_named(patterns: Iterable[str], *names: str) -> bool:
    """Whether a pattern, whole or a prefix that ends in `*` or `/`, is like one of the names."""
    return any(
        name == pattern or (pattern.endswith(("/", "*")) and name.startswith(pattern.removesuffix("*")))
        for pattern in patterns
        for name in names
    )
