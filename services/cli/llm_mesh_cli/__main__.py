"""The entry point: `up` starts at once, everything else goes through the command line's framework."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line."""
    words = sys.argv[1:]
    if words and words[0] == "up":
        from llm_mesh_cli.up.arguments import parsed  # noqa: PLC0415 (only what the command needs is loaded)

        arguments = parsed(words[1:])
        # structlog would load rich, for tracebacks in a form that the mesh's log never has: a tenth of the start.
        sys.modules["rich"] = None  # type: ignore[assignment]  # Python's own way to say that a module is not to be had
        gc.disable()  # nothing that a start makes is garbage; it is switched on again once everything serves
        from llm_mesh_cli.up.start import start  # noqa: PLC0415 (likewise)

        raise SystemExit(start(arguments))
    from llm_mesh_cli.app import run  # noqa: PLC0415 (likewise)

    run()


if __name__ == "__main__":
    main()
