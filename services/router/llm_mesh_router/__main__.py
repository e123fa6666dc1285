"""Serves the router alone: `python -m llm_mesh_router`."""

from llm_mesh_router.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
