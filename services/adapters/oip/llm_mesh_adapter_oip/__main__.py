"""`python -m llm_mesh_adapter_oip`: the adapter alone."""

from llm_mesh_adapter_oip.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
