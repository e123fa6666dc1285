"""Typed settings from the environment and one file: the only place of the mesh that reads the process's environment.

A service declares one frozen dataclass; `Configuration` fills it and remembers where each value came from::

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Settings:
        database_url: Secret = setting(default=Secret(""), help="Where the ledger lives. Empty: a file in the data directory.")

    configuration = Configuration.read()
    loaded = configuration.load(Settings, "policy")      # LLM_MESH_POLICY_DATABASE_URL, or [policy] database_url
    loaded.value.database_url, loaded.rows()
"""

from llm_mesh_runtime.settings.configuration import Configuration, Loaded, SettingRow, load, load_mesh
from llm_mesh_runtime.settings.document import settings_table
from llm_mesh_runtime.settings.fields import setting
from llm_mesh_runtime.settings.mesh import MeshSettings
from llm_mesh_runtime.settings.problems import SettingProblem, SettingsError

__all__ = [
    "Configuration",
    "Loaded",
    "MeshSettings",
    "SettingProblem",
    "SettingRow",
    "SettingsError",
    "load",
    "load_mesh",
    "setting",
    "settings_table",
]
