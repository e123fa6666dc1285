"""Reads the options of a command as the entry of a file for `apply` is read: one form, one set of checks, one wording of errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import yaml
from google.protobuf.descriptor import FieldDescriptor

from llm_mesh_cli.apply.document import of_options
from llm_mesh_cli.apply.filling import key_of
from llm_mesh_cli.apply.reading import FileNode
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.name_checks import check
from llm_mesh_cli.nouns.names import referred

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from llm_mesh_cli.nouns.noun import Noun, Option
    from llm_mesh_cli.session import Session

_TAG = "tag:yaml.org,2002:"
_PLACE = re.compile(r"(?:domains\[0\]\.)?(?:[a-z]+\[0\]\.)?(?P<field>[a-z_]+)(?P<rest>.*)")
_INTEGERS = (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64)
_VALUES = frozenset({"llm_mesh.mesh.v1.Money", "google.protobuf.Timestamp", "google.protobuf.Duration"})
"""Messages that are written as one text."""


@dataclass(frozen=True, slots=True)
class Described:
    """A resource with the fields that options name, and their paths."""

    message: Any
    paths: tuple[str, ...]


class _OptionPlace(FileNode):
    """A place of a command line: its problems name the option."""

    def problem(self, expected: str) -> None:
        where = _PLACE.fullmatch(self.path)
        field, rest = (where["field"], where["rest"]) if where else (self.path, "")
        self._problems.append(f"--{field.replace('_', '-')}{rest}: {expected}")


def field_of(noun: Noun, option: Option) -> Any:  # noqa: ANN401 (protobuf has two types of descriptors that share no base)
    """The descriptor of the field that an option writes."""
    message = noun.message()
    return next(field for field in message.DESCRIPTOR.fields if key_of(message, field) == option.field)


async def described(
    session: Session, noun: Noun, name: str, values: Mapping[str, object], unset: Sequence[str] = (), *, update: bool
) -> Described:
    """The resource that the options describe; `unset` are fields that become unset. USAGE where something cannot be read."""
    nodes: dict[str, yaml.Node] = {}
    domain = "/".join(name.split("/")[:2])
    for option in noun.options:
        value = values.get(option.field)
        if value is not None and option.refers_to:
            value = await referred(session, option.refers_to, str(value), domain)
        if value is not None:
            nodes[option.field] = _node(field_of(noun, option), option, value)
    for field in unset:
        nodes[_known(noun, field)] = yaml.ScalarNode(f"{_TAG}null", "null")
    problems: list[str] = []
    document = of_options(_OptionPlace(_entry(noun, name, nodes), "", "", problems), session.mesh.currency, update=update)
    if problems:
        raise CommandError("\n  ".join(problems), Exit.USAGE)
    await check(session, document, force=bool(values.get("force")))
    for request in (document.policy, document.registry, document.router):
        entries: Sequence[Message] = getattr(request, noun.plural, ())
        for message in entries:
            return Described(message, tuple(request.update_masks[cast("Any", message).name].paths))
    raise CommandError(f"{noun.plural} cannot be described by options", Exit.USAGE)


def _known(noun: Noun, field: str) -> str:
    """The field of an option's name: `allowed_models`, `allowed-models` or `--allowed-model`."""
    spelling = field.removeprefix("--").replace("-", "_")
    for option in noun.options:
        if spelling in {option.field, option.flag.removeprefix("--").replace("-", "_")}:
            return option.field
    raise CommandError(f"--unset {field}: expected one of {', '.join(option.field for option in noun.options)}", Exit.USAGE)


def _entry(noun: Noun, name: str, nodes: Mapping[str, yaml.Node]) -> yaml.Node:
    """The file that says the same: everything but domains and adapters stands in its domain."""
    parts = name.split("/")
    own = _mapping({"name": _text(parts[-1]), **nodes})
    if noun.parent == "":
        return _mapping({noun.plural: yaml.SequenceNode(f"{_TAG}seq", [own])})
    domain = _mapping({"name": _text(parts[1]), noun.plural: yaml.SequenceNode(f"{_TAG}seq", [own])})
    return _mapping({"domains": yaml.SequenceNode(f"{_TAG}seq", [domain])})


def _node(field: Any, option: Option, value: object) -> yaml.Node:  # noqa: ANN401 (see above)
    if isinstance(value, list):
        items = [_item(field, option, str(each)) for each in value if each]  # `''` is the empty list
        return yaml.SequenceNode(f"{_TAG}seq", items)
    return _item(field, option, value)


def _item(field: Any, option: Option, value: object) -> yaml.Node:  # noqa: ANN401 (see above)
    if isinstance(value, bool):
        return yaml.ScalarNode(f"{_TAG}bool", str(value).lower())
    if field.cpp_type in _INTEGERS and not field.name.endswith("_nanos_per_million"):
        return yaml.ScalarNode(f"{_TAG}int", str(value))
    if field.message_type is None or field.message_type.full_name in _VALUES:
        return _text(str(value))
    if option.plain and not str(value).lstrip().startswith("{"):
        inner = field.message_type.fields_by_name[option.plain]
        plain = _text(str(value))
        return _mapping({option.plain: yaml.SequenceNode(f"{_TAG}seq", [plain]) if inner.is_repeated else plain})
    try:
        node = yaml.compose(str(value), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise CommandError(f"{option.flag} {value}: expected YAML: {getattr(error, 'problem', error)}", Exit.USAGE) from error
    return node or _text("")


def _mapping(fields: Mapping[str, yaml.Node]) -> yaml.Node:
    return yaml.MappingNode(f"{_TAG}map", [(_text(key), node) for key, node in fields.items()])


def _text(value: str) -> yaml.Node:
    return yaml.ScalarNode(f"{_TAG}str", value)
