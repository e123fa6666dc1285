"""`python -m llm_mesh_simulator`: the simulator alone, without the rest of a mesh."""

from llm_mesh_runtime.host import main
from llm_mesh_simulator.wiring import service

if __name__ == "__main__":
    main(service)
