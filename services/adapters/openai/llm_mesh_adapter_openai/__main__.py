"""Serves the adapter alone: `python -m llm_mesh_adapter_openai`."""

from llm_mesh_adapter_openai.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
