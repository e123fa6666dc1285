"""`python -m llm_mesh_adapter_longtail.child SOCKET MODULE BOUNDS`: started by the adapter, and by nobody else."""

import sys

from llm_mesh_adapter_longtail.child.running import run

if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2], sys.argv[3])
