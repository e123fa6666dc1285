"""Which variable and which table of the file hold the settings of a service.

`policy` is LLM_MESH_POLICY_… and [policy]; `adapter/openai` is LLM_MESH_ADAPTER_OPENAI_… and [adapter.openai]; what all
services share is LLM_MESH_… and [mesh].
"""

PREFIX = "LLM_MESH_"
MESH = "mesh"
FILE_VARIABLE = "LLM_MESH_CONFIG"


def env_prefix(service: str) -> str:
    """The beginning of the variables of a service."""
    return PREFIX if service == MESH else f"{PREFIX}{_upper(service)}_"


def table_of(service: str) -> tuple[str, ...]:
    """The path of the table of a service; an adapter's entry-point name (`adapter-openai`) means the same as its link's."""
    if service.startswith("adapter-"):
        return ("adapter", service.removeprefix("adapter-"))
    return tuple(service.split("/"))


def link_name(suffix: str) -> str:
    """The link that LLM_MESH_LINK_<suffix> is about: `ADAPTER_OPENAI` is `adapter/openai`."""
    name = suffix.lower().replace("_", "-")
    return f"adapter/{name.removeprefix('adapter-')}" if name.startswith("adapter-") else name


def link_variable(name: str) -> str:
    """The variable that says where a peer listens."""
    return f"{PREFIX}LINK_{_upper(name)}"


def _upper(service: str) -> str:
    return service.upper().replace("/", "_").replace("-", "_")
