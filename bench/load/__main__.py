"""One run: `python -m bench.load SPEC.json` prints the figures as one JSON object."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import uvloop

from bench.load.figures import Figures
from bench.load.loops import Closed, Open
from bench.load.spec import read, read_requests


def main() -> None:
    """Reads the spec, loads the target, prints the figures."""
    spec = read(Path(sys.argv[1]))
    requests = read_requests(Path(spec.requests))
    figures = Figures(spec.watched)
    gc.freeze()  # the generator's own collections would show as latencies of the target
    loop = Open(spec, requests, figures) if spec.rate or spec.arrivals else Closed(spec, requests, figures)
    uvloop.run(loop.run())
    print(json.dumps(figures.result()), flush=True)


if __name__ == "__main__":
    main()
