"""How easy this repository is to move into, in figures: what a request enters, what is used twice, what goes in circles.

    python -m tools.house [--json FILE]

It starts an embedded mesh with its simulator, sends one chat request and one stream after the first ones are over, and reads the sources.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tools.house.entered import entered
from tools.house.places import kinds
from tools.house.sources import class_names_used_twice, import_circles, long_files


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every name, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llm-mesh-house-") as folder:
        request, chunk = entered(Path(folder))
    twice, circles, long = class_names_used_twice(), import_circles(), long_files()
    print(f"a chat request enters   {len({file for file, _ in request}):4} files, {len(request):4} functions")
    print(f"a chunk of a stream     {len({file for file, _ in chunk}):4} files, {len(chunk):4} functions")
    print(f"class names used twice  {len(twice):4}   {' '.join(twice)}")
    print(f"import circles          {len(circles):4}   {' | '.join(' '.join(each) for each in circles)}")
    print(f"files above 200 lines   {len(long):4}   {' '.join(long)}")
    print("places to touch for one more")
    more = kinds()
    for kind in more:
        print(f"  {kind.line()}")
    if arguments.json:
        arguments.json.write_text(
            json.dumps(
                {"request": sorted(request), "chunk": sorted(chunk), "twice": twice, "circles": circles, "long": long}
                | {"places": [kind._asdict() for kind in more]},
                indent=1,
            )
        )


if __name__ == "__main__":
    main()
