"""Runs the mesh's command line with its door shut from SIGUSR1 on: what a refusal costs, when nothing else is done.

python -m bench.profiling.shut up …
"""

from __future__ import annotations

import signal


def main() -> None:
    """Becomes the command line."""
    from llm_mesh_cli.__main__ import main as command  # noqa: PLC0415 - what is measured
    from llm_mesh_runtime.pressure import Pressure  # noqa: PLC0415 - likewise

    def shut(*_: object) -> None:
        Pressure.admits = lambda *_: False  # type: ignore[method-assign]  # as a full window has it

    signal.signal(signal.SIGUSR1, shut)
    command()


if __name__ == "__main__":
    main()
