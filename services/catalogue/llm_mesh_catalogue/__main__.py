"""Serves the catalogue alone: `python -m llm_mesh_catalogue`."""

from llm_mesh_catalogue.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
