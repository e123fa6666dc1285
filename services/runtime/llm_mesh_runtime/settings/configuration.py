"""Where settings come from: the environment before the file before the default, each value with its origin.

Nothing is read until the host asks for it. Problems are collected, so that one start tells all of them.
"""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings.fields import DeclaredSetting, declared
from llm_mesh_runtime.settings.mesh import MeshSettings
from llm_mesh_runtime.settings.naming import FILE_VARIABLE, MESH, PREFIX, env_prefix, link_name, table_of
from llm_mesh_runtime.settings.problems import SettingProblem, SettingsError, suggestion
from llm_mesh_runtime.settings.values import convert, described

S = TypeVar("S")
_MASK = "***"
_BLANK = "is set but empty: give it a value, or unset it"
_ADDRESS = "_url"
"""What is secret only because it may have a password in it; empty has a meaning of its own."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the table that `llm-mesh doctor` and the start log show. Secrets are masked."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """The settings of one service, and for each the place where its value stands."""

    service: str
    value: S
    origins: Mapping[str, str]

    def rows(self) -> tuple[SettingRow, ...]:
        """All settings with masked secrets, in the order of declaration."""
        return tuple(SettingRow(name, _shown(getattr(self.value, name)), origin) for name, origin in self.origins.items())

    def table(self) -> str:
        """The rows as aligned text."""
        rows = self.rows()
        names, values = (max((len(cell) for cell in column), default=0) for column in ([r.name for r in rows], [r.value for r in rows]))
        return "\n".join(f"{row.name:<{names}}  {row.value:<{values}}  {row.origin}" for row in rows)


class Configuration:
    """The environment and the file of one process."""

    def __init__(self, environ: Mapping[str, str], tables: Mapping[str, Any], path: str) -> None:
        self._environ = environ
        self._tables = tables
        self._path = path
        self._variables: set[str] = {FILE_VARIABLE}
        self._prefixes: set[str] = set()
        self._services: set[tuple[str, ...]] = set()

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> "Configuration":
        """Reads the process's environment, or the given one, and the file that LLM_MESH_CONFIG names."""
        environ = dict(os.environ if environ is None else environ)
        path = environ.get(FILE_VARIABLE, "")
        return cls(environ, _parsed(path) if path else {}, path)

    def load(self, settings_type: type[S], service: str = MESH) -> Loaded[S]:
        """Fills the dataclass for a service, or raises `SettingsError` with everything that is wrong."""
        fields = tuple(declared(settings_type))
        table, problems = self._table(service, fields)
        values: dict[str, object] = {}
        origins: dict[str, str] = {}
        for each in fields:
            try:
                values[each.name], origins[each.name] = self._value(service, each, table)
            except _WrongError as wrong:
                problems.append(SettingProblem(wrong.place, wrong.expected))
        if problems:
            raise SettingsError(problems)
        try:
            return Loaded(service, settings_type(**values), MappingProxyType(origins))
        except ValueError as wrong:  # a rule over several fields, from __post_init__
            raise SettingsError([SettingProblem(f"[{'.'.join(table_of(service))}]", str(wrong))]) from None

    def know(self, *services: str) -> None:
        """Names services that this process does not host, whose settings it therefore leaves alone."""
        self._prefixes.update(env_prefix(service) for service in services)
        self._services.update(table_of(service) for service in services)

    def unknown(self) -> tuple[SettingProblem, ...]:
        """Variables and tables that nobody has read: most likely typing errors. To be asked after the last `load`."""
        return (*self._unknown_variables(), *self._unknown_tables())

    def _value(self, service: str, setting: DeclaredSetting, table: Mapping[str, Any]) -> tuple[object, str]:
        if get_origin(setting.type) is Mapping:
            return self._mapping(service, setting, table)
        candidates = list(self._candidates(service, setting, table))
        if setting.type is Secret:
            _refuse_blank(setting, candidates)
        for origin, raw in candidates:
            return _checked(setting, origin, raw), origin
        if setting.required:
            variable = f"{env_prefix(service)}{setting.name.upper()}"
            raise _WrongError(variable, f"is required ({described(setting.type)}): {setting.rules.help}")
        return setting.default, "default"

    def _candidates(self, service: str, setting: DeclaredSetting, table: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
        """What is given for a setting, the strongest first. A secret may stand in a file of its own."""
        own = f"{env_prefix(service)}{setting.name.upper()}"
        empties = setting.type in {str, Secret} or get_origin(setting.type) in {Union, UnionType, tuple}  # else empty means unset
        for variable in (own, *setting.rules.env):
            self._variables |= {variable, f"{variable}_FILE"}
            raw = self._environ.get(variable)
            if raw or (raw is not None and (variable == own or setting.type is Secret) and empties):
                yield variable, raw
            if setting.type is Secret and (path := self._environ.get(f"{variable}_FILE")) is not None:
                yield f"{variable}_FILE", _content(f"{variable}_FILE", path)
        place = f"{self._path}:{'.'.join(table_of(service))}.{setting.name}"
        if setting.name in table:
            yield place, table[setting.name]
        if setting.type is Secret and (path := table.get(f"{setting.name}_file")) is not None:
            yield f"{place}_file", _content(f"{place}_file", path)

    def _mapping(self, service: str, setting: DeclaredSetting, table: Mapping[str, Any]) -> tuple[object, str]:
        """A setting with names of its own, such as the links: file and environment are merged name by name."""
        place = f"{self._path}:{'.'.join(table_of(service))}.{setting.name}"
        inner = get_args(setting.type)[1]
        collected: dict[str, object] = {}
        for name, raw in _names(place, table.get(setting.name, {})):
            if inner is Secret and not str(raw).strip():
                raise _WrongError(f"{place}.{name}", _BLANK)
            collected[name] = _bounded(setting, f"{place}.{name}", _converted(inner, f"{place}.{name}", raw))
        origins = [place] if collected else []
        for variable, raw in sorted(self._environ.items()):
            if variable.startswith(setting.rules.prefix):
                self._variables.add(variable)
                if inner is Secret and not raw.strip():
                    raise _WrongError(variable, _BLANK)
                value = _bounded(setting, variable, _converted(inner, variable, raw))
                collected[link_name(variable.removeprefix(setting.rules.prefix))] = value
                origins.append(variable)
        return MappingProxyType(collected or setting.default), ", ".join(origins) or "default"  # type: ignore[arg-type]  # a mapping by its declaration

    def _table(self, service: str, fields: tuple[DeclaredSetting, ...]) -> tuple[Mapping[str, Any], list[SettingProblem]]:
        path = table_of(service)
        self._services.add(path)
        self._prefixes.discard(env_prefix(service))
        table: Any = self._tables
        for step in path:
            table = table.get(step, {}) if isinstance(table, Mapping) else {}
        known = [each.name for each in fields] + [f"{each.name}_file" for each in fields if each.type is Secret]
        where = f"{self._path}:{'.'.join(path)}"
        if not isinstance(table, Mapping):
            return {}, [SettingProblem(where, "expected a table")]
        return table, [
            SettingProblem(f"{where}.{key}", f"is not a setting of {service}{suggestion(key, known)}") for key in table if key not in known
        ]

    def _unknown_variables(self) -> Iterator[SettingProblem]:
        for variable in sorted(self._environ):
            if not variable.startswith(PREFIX) or variable in self._variables:
                continue
            if not any(variable.startswith(prefix) for prefix in self._prefixes):
                yield SettingProblem(variable, f"is read by nobody{suggestion(variable, self._variables)}")

    def _unknown_tables(self) -> Iterator[SettingProblem]:
        known = {".".join(path) for path in self._services}
        for name, table in self._tables.items():
            nested = name == "adapter" and isinstance(table, Mapping)
            for full in [f"{name}.{inner}" for inner in table] if nested else [name]:
                if full not in known:
                    yield SettingProblem(f"{self._path}:{full}", f"is the table of no service{suggestion(full, known)}")


def load(settings_type: type[S], service: str, environ: Mapping[str, str] | None = None) -> S:
    """The settings of one service, for callers that need no origins."""
    return Configuration.read(environ).load(settings_type, service).value


def load_mesh(*, embedded: bool = False, environ: Mapping[str, str] | None = None, **overrides: Any) -> MeshSettings:  # noqa: ANN401
    """The common settings, with what a command line says above everything else."""
    loaded = load(MeshSettings, MESH, environ)
    return replace(loaded, embedded=embedded or loaded.embedded, **overrides)


class _WrongError(Exception):
    def __init__(self, place: str, expected: str) -> None:
        super().__init__(place, expected)
        self.place = place
        self.expected = expected


def _checked(setting: DeclaredSetting, origin: str, raw: object) -> object:
    value = _bounded(setting, origin, _converted(setting.type, origin, raw))
    if setting.rules.check is not None and (expected := setting.rules.check(value)):
        raise _WrongError(origin, expected)
    return value


def _bounded(setting: DeclaredSetting, origin: str, value: object) -> object:
    """The value, or one of a mapping's values, within the setting's bounds."""
    rules = setting.rules
    size = value.total_seconds() if hasattr(value, "total_seconds") else value
    if isinstance(size, int | float):
        if rules.minimum is not None and size < rules.minimum:
            raise _WrongError(origin, f"expected at least {rules.minimum:g}")
        if rules.maximum is not None and size > rules.maximum:
            raise _WrongError(origin, f"expected at most {rules.maximum:g}")
    return value


def _refuse_blank(setting: DeclaredSetting, candidates: list[tuple[str, object]]) -> None:
    """A credential that is set but blank is an error: nothing else is taken in its place.

    Where a provider's customary variable is empty, there is no credential at that provider: deployments pass variables on so.
    """
    customary = {variable for variable in setting.rules.env if not variable.startswith(PREFIX)}
    for number, (place, raw) in enumerate(candidates):
        if not isinstance(raw, str) or raw.strip() or setting.name.endswith(_ADDRESS):
            return
        passed_on = not raw and place in customary and all(other == "" for _, other in candidates[number:])
        if not passed_on:
            raise _WrongError(place, _BLANK)


def _converted(type_: object, place: str, raw: object) -> object:
    try:
        return convert(type_, raw)
    except ValueError as wrong:
        raise _WrongError(place, str(wrong)) from None


def _names(place: str, table: object) -> Iterable[tuple[str, object]]:
    """The entries of a table inside a table; a key with a slash may also be written as a table of its own."""
    if not isinstance(table, Mapping):
        raise _WrongError(place, "expected a table")
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}/{inner}", deep) for inner, deep in value.items())
        else:
            yield name, value


def _parsed(path: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as wrong:
        raise SettingsError([SettingProblem(FILE_VARIABLE, f"the file cannot be read: {wrong.strerror}")]) from None
    except UnicodeDecodeError:
        raise SettingsError([SettingProblem(path, "expected UTF-8 text")]) from None
    except tomllib.TOMLDecodeError as wrong:  # tells line and column, never a value
        raise SettingsError([SettingProblem(path, f"expected TOML: {wrong}")]) from None


def _content(place: str, path: object) -> str:
    if not isinstance(path, str):
        raise _WrongError(place, "expected a path")
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except OSError as wrong:
        raise _WrongError(place, f"the file cannot be read: {wrong.strerror}") from None
    except UnicodeDecodeError:
        raise _WrongError(place, "expected a file of UTF-8 text") from None


def _shown(value: object) -> str:
    if isinstance(value, Secret):
        return _MASK if value else ""
    if isinstance(value, tuple):
        return ", ".join(str(word) for word in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_shown(inner)}" for name, inner in value.items())
    if hasattr(value, "total_seconds"):
        return f"{value.total_seconds():g} s"
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
