"""The options of a kind of resource, typed by the fields that they write."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer
from google.protobuf.descriptor import FieldDescriptor

from llm_mesh_cli.nouns.reading import field_of

if TYPE_CHECKING:
    from llm_mesh_cli.nouns.noun import Noun, Option

_INTEGERS = (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64)


def parameters(noun: Noun, *, update: bool) -> list[inspect.Parameter]:
    """One parameter per option; without a value the field is not named."""
    return [_parameter(noun, option) for option in noun.options if not (update and option.created_only)]


def _parameter(noun: Noun, option: Option) -> inspect.Parameter:
    field = field_of(noun, option)
    annotation: Any
    if field.is_repeated:
        annotation = Annotated[list[str] | None, typer.Option(option.flag, help=f"{option.help} Repeatable; `''` for none.")]
    elif field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        flags = f"{option.flag}/--no-{option.flag.removeprefix('--')}"
        annotation = Annotated[bool | None, typer.Option(flags, help=option.help)]
    elif field.cpp_type in _INTEGERS:
        annotation = Annotated[int | None, typer.Option(option.flag, min=0, help=option.help)]
    else:
        annotation = Annotated[str | None, typer.Option(option.flag, help=option.help)]
    return inspect.Parameter(option.field, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
