"""Serves conversations alone: `python -m llm_mesh_conversations`."""

from llm_mesh_conversations.wiring import service
from llm_mesh_runtime.host import main

if __name__ == "__main__":
    main(service)
