"""Serves observability alone: `python -m llm_mesh_observability`."""

from llm_mesh_observability.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
