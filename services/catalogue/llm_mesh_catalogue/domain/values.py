"""Values of variables: read, checked against the schema, completed. Runs in a child process only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from llm_mesh_catalogue.domain import schemas
from llm_mesh_catalogue.domain.engine import UnfitError
from llm_mesh_runtime.nesting import deeper_than

DEEPEST: Final = 64
_LONGEST_MESSAGE: Final = 200


class ValuesError(Exception):
    """Text that is no JSON object, or one that is nested too deeply."""


class Variables:
    """The variables of one version."""

    def __init__(self, schema_json: str) -> None:
        """Raises `schemas.SchemaFaultError` where it is no schema that is taken. Empty: there are no variables."""
        self._validator: Draft202012Validator | None = None
        self._known: Mapping[str, Any] = {}
        if schema_json:
            schema = _schema(schema_json)
            self._validator = Draft202012Validator(schema)
            self._known = schema.get("properties", {})

    def values(self, text: str) -> Mapping[str, Any]:
        """The values, with defaults in place of those that are left out. Raises `ValuesError` and `UnfitError`."""
        values = _parsed(text) if text else {}
        for name in values:
            if name not in self._known:
                raise UnfitError("the schema of the prompt's variables declares none of this name", name)
        if self._validator is None:
            return values
        for problem in self._validator.iter_errors(values):
            raise _misfit(problem, values)
        defaults = {name: part["default"] for name, part in self._known.items() if isinstance(part, dict) and "default" in part}
        return defaults | values


def _schema(text: str) -> dict[str, Any]:
    if deeper_than(text, schemas.DEEPEST):
        raise schemas.SchemaFaultError(f"it is nested more than {schemas.DEEPEST} deep")
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise schemas.SchemaFaultError("it is not JSON") from error
    try:
        schemas.check(schema)
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise schemas.SchemaFaultError(f"{error.json_path}: {error.message[:_LONGEST_MESSAGE]}") from error
    except RecursionError as error:
        raise schemas.SchemaFaultError("its references lead too deep") from error
    subschema: dict[str, Any] = schema
    return subschema


def _parsed(text: str) -> dict[str, Any]:
    if deeper_than(text, DEEPEST):
        raise ValuesError(f"must be nested at most {DEEPEST} deep")
    try:
        values = json.loads(text, parse_constant=_no_number)
    except ValueError as error:
        raise ValuesError("must be a JSON object") from error
    if not isinstance(values, dict):
        raise ValuesError("must be a JSON object")
    return values


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _misfit(problem: ValidationError, values: Mapping[str, Any]) -> UnfitError:
    """What the schema says against the values, with the variable's name."""
    if problem.validator == "required" and not problem.absolute_path and isinstance(problem.validator_value, Sequence):
        missing = next((name for name in problem.validator_value if name not in values), "")
        return UnfitError("it is required", str(missing))
    return UnfitError(problem.message[:_LONGEST_MESSAGE], ".".join(str(part) for part in problem.absolute_path))
