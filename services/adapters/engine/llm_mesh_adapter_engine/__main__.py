"""`python -m llm_mesh_adapter_engine`: the adapter alone."""

from llm_mesh_adapter_engine.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
