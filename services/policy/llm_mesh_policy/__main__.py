"""Serves policy alone: `python -m llm_mesh_policy`."""

from llm_mesh_policy.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
