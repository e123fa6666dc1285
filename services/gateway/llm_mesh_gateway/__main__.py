"""Serves the gateway alone: `python -m llm_mesh_gateway`."""

from llm_mesh_gateway.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
