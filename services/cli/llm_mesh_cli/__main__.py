"""The entry point: `up` and `serve` start at once, everything else goes through the command line's framework."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line."""
    words = sys.argv[1:]
    if words[:1] == ["up"]:
        raise SystemExit(_up(words[1:]))
    if words[:1] == ["serve"]:
        raise SystemExit(_serve(words[1:]))
    from llm_mesh_cli.app import run  # noqa: PLC0415 (only what the command needs is loaded)

    run()


def _up(words: list[str]) -> int:
    from llm_mesh_cli.up.arguments import parsed  # noqa: PLC0415 (likewise)

    arguments = parsed(words)
    _spared()
    from llm_mesh_cli.up.start import start  # noqa: PLC0415 (likewise)

    return start(arguments)


def _serve(words: list[str]) -> int:
    from llm_mesh_cli.serving import parsed, start  # noqa: PLC0415 (likewise)

    arguments = parsed(words)
    _spared()
    return start(arguments)


def _spared() -> None:
    """Keep from a start what it does not need."""
    # structlog and mako would load them, for tracebacks in a form that the mesh's log never has: a tenth of the start.
    for name in ("rich", "pygments"):
        sys.modules[name] = None  # type: ignore[assignment]  # Python's own way to say that a module is not to be had
    gc.disable()  # nothing that a start makes is garbage; it is switched on again once everything serves


if __name__ == "__main__":
    main()
