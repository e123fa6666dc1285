"""`python -m llm_mesh_adapter_litellm`: the adapter alone."""

from llm_mesh_adapter_litellm.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
