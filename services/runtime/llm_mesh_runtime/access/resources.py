"""Resource templates of access rules, expanded over a request: `{parent}/models` → `domains/claims/models`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from llm_mesh_runtime.errors import invalid

_FIELD = re.compile(r"\{([a-z0-9_.]+)\}")
_MAX = 1024


def expander(template: str) -> Callable[[Any], str]:
    """A function from a request to the resource that is authorised."""
    literals = _FIELD.split(template)
    if len(literals) == 1:
        return lambda _request: template
    fields = [tuple(path.split(".")) for path in literals[1::2]]
    texts = literals[0::2]

    def expand(request: Any) -> str:  # noqa: ANN401 - any message
        parts = [texts[0]]
        for path, text in zip(fields, texts[1:], strict=True):
            parts += [_value(request, path), text]
        resource = "".join(parts)
        if len(resource) > _MAX:
            raise invalid(".".join(fields[0]), f"at most {_MAX} characters")
        return resource

    return expand


def _value(message: Any, path: tuple[str, ...]) -> str:  # noqa: ANN401 - any message
    for name in path:
        message = getattr(message, name)
    return str(message)


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
