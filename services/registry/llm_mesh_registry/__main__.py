"""Serves the registry alone: `python -m llm_mesh_registry`."""

from llm_mesh_registry.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
