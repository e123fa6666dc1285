"""Serves batches alone: `python -m llm_mesh_batches`."""

from llm_mesh_batches.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
