"""What a request may consist of, as a tree, and one request for each value that a field of it can have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

ABSENT: Any = object()


@dataclass(frozen=True)
class Leaf:
    """A value without fields. The first sample is the one that others are compared with, where the field is required."""

    samples: tuple[Any, ...]


@dataclass(frozen=True)
class Listing:
    """A list."""

    item: Shape


@dataclass(frozen=True)
class Choice:
    """One of several shapes, by the name that tells them apart."""

    options: Mapping[str, Shape]


@dataclass(frozen=True)
class Record:
    """An object. `required` are the fields that it must have."""

    fields: Mapping[str, Shape]
    required: frozenset[str]


Shape: TypeAlias = "Leaf | Listing | Choice | Record"
Put = Callable[[Any], Any]


@dataclass(frozen=True)
class Variant:
    """A request that says one thing, and the same request without it or with another value in its place."""

    path: str
    value: Any
    body: Any
    plain: Any


def least(shape: Shape) -> Any:
    """The smallest value of a shape."""
    if isinstance(shape, Leaf):
        return shape.samples[0]
    if isinstance(shape, Listing):
        return [least(shape.item)]
    if isinstance(shape, Choice):
        return least(next(iter(shape.options.values())))
    return {name: least(field) for name, field in shape.fields.items() if name in shape.required}


def variants(shape: Shape, path: str, put: Put, *, without: Any = ABSENT) -> Iterator[Variant]:
    """All values of a shape, put in their place. `without` is what stands there otherwise; nothing where the place may be empty."""
    plain = put(without)
    if isinstance(shape, Leaf):
        yield from (Variant(path, sample, put(sample), plain) for sample in shape.samples if sample is not without)
    elif isinstance(shape, Listing):
        item = without[0] if isinstance(without, list) else ABSENT
        yield from variants(shape.item, f"{path}[]", lambda value: put(without if value is ABSENT else [value]), without=item)
    elif isinstance(shape, Choice):
        for name, option in shape.options.items():
            yield from variants(option, f"{path}<{name}>", put, without=without)
    else:
        yield from _of_record(shape, path, put, without)


def _of_record(shape: Record, path: str, put: Put, without: Any) -> Iterator[Variant]:
    base = least(shape)
    if base != without:
        yield Variant(path, base, put(base), put(without))
    for name, field in shape.fields.items():

        def inside(value: Any, name: str = name) -> Any:
            return put({key: inner for key, inner in {**base, name: value}.items() if inner is not ABSENT})

        yield from variants(field, f"{path}.{name}" if path else name, inside, without=base.get(name, ABSENT))
