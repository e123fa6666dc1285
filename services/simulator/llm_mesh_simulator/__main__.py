"""`python -m llm_mesh_simulator`: the simulator alone, without the rest of a mesh."""

import uvicorn

from llm_mesh_runtime.settings import load, load_mesh
from llm_mesh_simulator.settings import Settings
from llm_mesh_simulator.wiring import application, journal


def main() -> None:
    """Serves until it is told to stop."""
    settings = load(Settings, "simulator")
    app = application(settings, journal(settings, load_mesh().data_dir))
    host, _, port = settings.address.rpartition(":")
    uvicorn.run(
        app, host=host.strip("[]"), port=int(port), http="httptools", ws="none", access_log=False, server_header=False, log_level="warning"
    )


if __name__ == "__main__":
    main()
