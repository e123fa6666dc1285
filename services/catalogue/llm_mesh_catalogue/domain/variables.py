"""Variables of a prompt: their schema, and values that follow it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from llm_mesh.catalogue.v1 import errors_pb2
from llm_mesh_catalogue.domain.errors import CatalogueError
from llm_mesh_runtime.errors import invalid

_LARGEST_SCHEMA = 64 * 1024
_LARGEST_VALUES = 1024 * 1024
_REFUSED = frozenset({"pattern", "$dynamicRef", "$id", "$anchor"})


def validator_of(schema_json: str, field: str = "version.variables_schema_json") -> Draft202012Validator | None:
    """What checks the values; None for a prompt without variables. SCHEMA_INVALID where it is no schema of an object."""
    if not schema_json:
        return None
    if len(schema_json.encode()) > _LARGEST_SCHEMA:
        raise invalid(field, f"must be at most {_LARGEST_SCHEMA} bytes")
    try:
        schema = json.loads(schema_json)
        Draft202012Validator.check_schema(schema)
    except (ValueError, RecursionError) as error:
        raise _wrong_schema(field, "it is not JSON") from error
    except SchemaError as error:
        raise _wrong_schema(field, f"{error.json_path}: {error.message[:200]}") from error
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise _wrong_schema(field, 'it must be of type "object"')
    _check_keywords(schema, field)
    return Draft202012Validator(schema)


def values_of(variables_json: str, validator: Draft202012Validator | None) -> Mapping[str, Any]:
    """The values; VARIABLE_INVALID names the first that is missing, unknown or of the wrong form."""
    if len(variables_json.encode()) > _LARGEST_VALUES:
        raise invalid("variables_json", f"must be at most {_LARGEST_VALUES} bytes")
    try:
        values = json.loads(variables_json) if variables_json else {}
    except (ValueError, RecursionError) as error:
        raise invalid("variables_json", "must be a JSON object") from error
    if not isinstance(values, dict):
        raise invalid("variables_json", "must be a JSON object")
    schema = validator.schema if validator is not None else {}
    known = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
    for name in values:
        if name not in known:
            raise variable_invalid(name, "the prompt has no such variable")
    if validator is not None:
        for problem in validator.iter_errors(values):
            raise _misfit(problem, values)
        values = {name: part["default"] for name, part in known.items() if isinstance(part, dict) and "default" in part} | values
    return values


def variable_invalid(name: str, why: str) -> CatalogueError:
    """A variable that does not fit the prompt."""
    message = f"variable {name}: {why}"
    return CatalogueError(errors_pb2.ERROR_REASON_VARIABLE_INVALID, message, field=f"prompt.variables.{name}", variable=name)


def _check_keywords(part: object, field: str) -> None:
    """Refuses what could take for ever or leave the process: regular expressions, and references to elsewhere."""
    if isinstance(part, dict):
        for keyword, value in part.items():
            if keyword == "patternProperties" or (keyword in _REFUSED and isinstance(value, str)):
                raise _wrong_schema(field, f"{keyword} is not allowed")
            if keyword == "$ref" and not str(value).startswith("#/$defs/"):
                raise _wrong_schema(field, "a $ref must begin with #/$defs/")
            _check_keywords(value, field)
    elif isinstance(part, list):
        for item in part:
            _check_keywords(item, field)


def _misfit(problem: ValidationError, values: Mapping[str, Any]) -> CatalogueError:
    """What the schema says against the values, with the variable's name."""
    if problem.validator == "required" and not problem.absolute_path and isinstance(problem.validator_value, list):
        missing = next((name for name in problem.validator_value if name not in values), "")
        return variable_invalid(str(missing), "it is required")
    return variable_invalid(".".join(str(part) for part in problem.absolute_path), problem.message[:200])


def _wrong_schema(field: str, why: str) -> CatalogueError:
    return CatalogueError(errors_pb2.ERROR_REASON_SCHEMA_INVALID, f"the schema of the variables: {why}", field=field)
