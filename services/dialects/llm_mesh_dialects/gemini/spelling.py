"""Names of fields as Google's readers of JSON accept them: `maxOutputTokens`, and `max_output_tokens` as well.

Bodies are brought to the first form before they are read. What is the caller's own JSON, such as arguments, stays as it is.
"""

from __future__ import annotations

import re
from typing import Any, Final

from llm_mesh_dialects.errors import DialectError

_LOWERED: Final = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")
_RAISED: Final = re.compile(r"([A-Z])")
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_FREE: Final = frozenset({"args", "parametersJsonSchema", "responseJsonSchema", "labels", "partMetadata", "default", "example", "enum"})
"""Fields whose value is the caller's own."""
_RESPONSE: Final = "response"
_DECLARATIONS: Final = "functionDeclarations"
_MAPS: Final = frozenset({"properties", "defs"})
"""Fields whose keys are the caller's own, and whose values are not."""
_DEEPEST: Final = 200
"""What is nested more deeply is refused wherever it is read."""


def normalised(value: Any, path: str = "", owner: str = "", depth: int = 0) -> Any:  # noqa: ANN401 (JSON)
    """The same JSON with the names of fields in their first form. Raises `DialectError` where a field stands twice."""
    if depth > _DEEPEST:
        return value
    if type(value) is list:
        return [
            normalised(each, f"{path}[{index}]", owner, depth + 1) if type(each) in {dict, list} else each
            for index, each in enumerate(value)
        ]
    if type(value) is not dict:
        return value
    made: dict[str, Any] = {}
    for key, inner in value.items():
        name = key if "_" not in key or owner in _MAPS else _LOWERED.sub(lambda match: match[1].upper(), key)
        place = f"{path}.{key}" if path else key
        if name in made:
            raise DialectError(place, f"expected it once: {name} is another name of it")
        whole = type(inner) not in {dict, list} or (owner not in _MAPS and _is_free(name, owner))
        made[name] = inner if whole else normalised(inner, place, "" if owner in _MAPS else name, depth + 1)
    return made


def value_of(values: dict[str, Any], name: str) -> Any:  # noqa: ANN401 (JSON)
    """What stands under a name, in either form; None where nothing does."""
    return values[name] if name in values else values.get(_snake(name))


def spelled(path: str, body: Any) -> str:  # noqa: ANN401 (JSON)
    """A path with each name as the body has it."""
    steps: list[str] = []
    for name, index in _STEP.findall(path):
        if index:
            number = int(index)
            steps.append(f"[{index}]")
            body = body[number] if isinstance(body, list) and number < len(body) else None
        else:
            known = isinstance(body, dict) and name not in body and _snake(name) in body
            own = _snake(name) if known else name
            steps.append(f".{own}" if steps else own)
            body = body.get(own) if isinstance(body, dict) else None
    return "".join(steps)


def _snake(name: str) -> str:
    return _RAISED.sub(lambda match: f"_{match[1].lower()}", name)


def _is_free(name: str, owner: str) -> bool:
    return name in _FREE or (name == _RESPONSE and owner != _DECLARATIONS)
