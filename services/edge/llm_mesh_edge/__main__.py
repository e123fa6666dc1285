"""Serves the edge alone: `python -m llm_mesh_edge`."""

from llm_mesh_edge.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
