"""Lists and objects in the names of a form's fields, as SDKs write them: `image[]`, `chunking_strategy[type]`, `llm_mesh[tags][team]`."""

from __future__ import annotations

from typing import Any

from llm_mesh_edge.http.form_parts import FormError


def put_field(fields: dict[str, Any], name: str, value: object) -> None:
    """Puts a value where its name says: an empty key is the next item of a list."""
    first, *keys = name.replace("]", "").split("[")
    place: Any = fields
    key = first
    for following in keys:
        empty: Any = [] if following == "" else {}
        place, key = _inner(place, key, empty, name), following
    _put(place, key, value, name)


def _inner(place: Any, key: str, empty: Any, name: str) -> Any:  # noqa: ANN401 (lists and objects)
    if isinstance(place, list):
        raise FormError("must not have keys behind empty brackets", name)
    inner = place.setdefault(key, empty)
    if type(inner) is not type(empty):
        raise _stands_twice(name)
    return inner


def _put(place: Any, key: str, value: object, name: str) -> None:  # noqa: ANN401 (lists and objects)
    if isinstance(place, list):
        place.append(value)
    elif key in place:
        raise _stands_twice(name)
    else:
        place[key] = value


def _stands_twice(name: str) -> FormError:
    return FormError("stands twice; fields of a list are named with empty brackets behind", name)
