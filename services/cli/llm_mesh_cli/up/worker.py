"""A worker of `llm-mesh up --workers`: edge, gateway and adapters, beside others that accept at the same HTTP port.

It loads what it needs while the main process starts, waits for its order on standard input, and tells on standard output, in JSON,
whether it serves or why it cannot. Standard input is the main process's grip on it: when that ends, however, so does the worker.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from typing import BinaryIO

_ORPHANED = 1
_AT_ONCE = 4096


def main() -> int:
    """Serve until told to stop."""
    report = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what anybody prints is for people
    sys.modules["rich"] = None  # type: ignore[assignment]  # as in the main process: a tenth of the start
    gc.disable()  # until it serves
    from llm_mesh_runtime.host import Host, StartError, run  # noqa: PLC0415 (the two lines above come first)
    from llm_mesh_runtime.settings import Configuration, MeshSettings, SettingsError  # noqa: PLC0415 (likewise)

    def failed(reason: str) -> None:
        _tell(report, failed=reason)

    async def serving(host: Host) -> None:
        _tell(report, serving=host.http[0].address if host.http else "")

    try:
        from llm_mesh_cli.up.order import Order  # noqa: PLC0415 (likewise)
        from llm_mesh_cli.up.services import hosted, of_worker  # noqa: PLC0415 (likewise)

        services = hosted(of_worker)
        _load_early()
        line = _line()
        if not line:
            return _ORPHANED
        threading.Thread(target=_end_with_main, daemon=True, name="main process").start()
        configuration = Configuration.read()
        mesh = configuration.load(MeshSettings).value
        overrides = Order.read(line).overrides(mesh, frozenset(service.name for service in services))
    except (StartError, SettingsError) as error:
        failed(str(error))
        return 1
    return run(services, mode="separate", configuration=configuration, prepare=serving, failed=failed, **overrides)


def _load_early() -> None:
    """What the host loads when it needs it: here there is time now."""
    import llm_mesh_runtime.host.process  # noqa: PLC0415
    import llm_mesh_runtime.http.protocol  # noqa: PLC0415
    import llm_mesh_runtime.links.mux  # noqa: F401, PLC0415


def _end_with_main() -> None:
    """Nothing can be settled without the main process: what is open is ended as estimated when it starts again."""
    while os.read(0, _AT_ONCE):
        pass
    os._exit(_ORPHANED)


def _line() -> bytes:
    """Read past the interpreter's own buffers: a thread that waits in them would hold up its end."""
    line = b""
    while not line.endswith(b"\n") and (piece := os.read(0, _AT_ONCE)):
        line += piece
    return line if line.endswith(b"\n") else b""


def _tell(where: BinaryIO, **what: str) -> None:
    where.write(json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    raise SystemExit(main())
