"""How a service declares a setting: a dataclass field with a help text and the rules that its value keeps."""

import dataclasses
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any

_RULES = "llm_mesh_runtime.setting"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a field says about its value besides the type."""

    help: str
    env: tuple[str, ...] = ()
    prefix: str = ""
    minimum: float | None = None
    maximum: float | None = None
    check: Callable[[Any], str] | None = None


@dataclass(frozen=True, slots=True)
class DeclaredSetting:
    """One setting of a dataclass, with everything that is needed to find, read and document it."""

    name: str
    type: object
    default: object
    rules: Rules

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is MISSING


def setting(
    *,
    default: Any = MISSING,  # noqa: ANN401 (of the field's type, which the dataclass checks)
    help: str,  # noqa: A002 (it reads as what it is at every declaration)
    env: tuple[str, ...] = (),
    prefix: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    check: Callable[[Any], str] | None = None,
) -> Any:  # noqa: ANN401 (as dataclasses.field, so that any annotation takes it)
    """Declares one setting of a settings dataclass.

    `env` names further variables that are read after the regular one, such as a provider's customary key.
    `prefix` collects all variables that begin so into a mapping. `check` answers what was expected, or "" when content.
    """
    rules = Rules(help=help, env=env, prefix=prefix, minimum=minimum, maximum=maximum, check=check)
    if isinstance(default, Mapping):
        return field(default_factory=lambda: dict(default), metadata={_RULES: rules})
    return field(default=default, metadata={_RULES: rules})


def declared(settings_type: type) -> Iterator[DeclaredSetting]:
    """The settings of a dataclass, in the order of declaration."""
    hints = typing.get_type_hints(settings_type)
    for each in dataclasses.fields(settings_type):
        rules = each.metadata.get(_RULES)
        if not isinstance(rules, Rules):
            raise TypeError(f"{settings_type.__name__}.{each.name} is not declared with setting(help=…)")
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        yield DeclaredSetting(each.name, hints[each.name], default, rules)
