"""What is installed on this machine, and with which settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from llm_mesh_cli.settings import Settings
from llm_mesh_runtime.host import StartError, installed, load
from llm_mesh_runtime.settings import Configuration, MeshSettings, SettingRow, SettingsError

_OTHERS = ("console",)
"""Services that this installation may lack, whose settings are none of its business."""


@dataclass(slots=True)
class AllSettings:
    """All settings, with what is wrong with them."""

    rows: list[tuple[str, tuple[SettingRow, ...]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Services whose code cannot be imported, and why."""


def all_settings() -> AllSettings:
    """Read everything that any installed service would read."""
    effective = AllSettings()
    try:
        configuration = Configuration.read()
    except SettingsError as error:
        effective.problems += [str(problem) for problem in error.problems]
        return effective
    _take(effective, configuration, "mesh", MeshSettings)
    _take(effective, configuration, "cli", Settings)
    for name in installed():
        try:
            (service,) = load([name])
        except (ImportError, StartError) as error:
            effective.broken.append(f"{name}: {error}")
            configuration.know(name)
            continue
        effective.services.append(name)
        _take(effective, configuration, name, service.settings)
    configuration.know(*_OTHERS)
    effective.problems += [str(problem) for problem in configuration.unknown()]
    return effective


def _take(effective: AllSettings, configuration: Configuration, name: str, settings: type) -> None:
    try:
        effective.rows.append((name, configuration.load(settings, name).rows()))
    except SettingsError as error:
        effective.problems += [str(problem) for problem in error.problems]
