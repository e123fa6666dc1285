"""Resource templates of access rules, expanded over a request: `{parent}/models` → `domains/claims/models`."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from llm_mesh_runtime.errors import invalid

_FIELD = re.compile(r"\{([a-z0-9_.]+)\}")
_MAX = 1024


def expander(template: str) -> Callable[[Any], str]:
    """A function from a request to the resource that is authorised."""
    literals = _FIELD.split(template)
    if len(literals) == 1:
        return lambda _request: template
    begin, field = literals[:2]
    fields = tuple(zip(map(attrgetter, literals[1::2]), literals[2::2], strict=True))

    def expand(request: Any) -> str:  # noqa: ANN401 - any message
        resource = begin
        for value, text in fields:
            resource += f"{value(request)}{text}"
        if len(resource) > _MAX:
            raise invalid(field, f"at most {_MAX} characters")
        return resource

    return expand


def check(template: str, descriptor: Any) -> None:  # noqa: ANN401 - protobuf's descriptors have no common type
    """Refuse a template that names fields which the request does not have."""
    for field in _FIELD.findall(template):
        message = descriptor
        for name in field.split("."):
            if message is None or name not in message.fields_by_name:
                raise ValueError(f"{descriptor.full_name} has no field {field}, which its access rule names")
            message = message.fields_by_name[name].message_type
        if message is not None:
            raise ValueError(f"{field} of {descriptor.full_name} is a message; an access rule names plain fields")
