"""Generates the tables of docs/ that the contracts already hold.

python tools/docs.py            writes docs/errors.md
python tools/docs.py --check    fails where what is committed is stale
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

from llm_mesh.mesh.v1 import errors_pb2

ROOT = Path(__file__).resolve().parent.parent
ERRORS = ROOT / "docs" / "errors.md"
AREAS = ("mesh", "gateway", "policy", "router", "catalogue", "adapter", "registry", "observability")
RULE: Any = errors_pb2.error  # generated stubs type an extension as a plain descriptor

HEAD = """# Errors

Generated from the `ErrorReason` enums of the contracts by `make docs`; do not edit.

Every error has exactly one `google.rpc.ErrorInfo`: `reason` is the word below, `domain` is `<area>.llm-mesh`, `metadata` has what
the reason documents. `BadRequest` names the field, `RetryInfo` says when to try again, `QuotaFailure` whose limit it is, where that
helps. At the HTTP edge the same error has the HTTP status below; in either dialect `error.code` is the reason in lower case,
`error.param` the field. A call that fails with one of these charges nothing, unless its text says otherwise.

An error that is not in these tables is a defect: gRPC itself only adds CANCELLED and DEADLINE_EXCEEDED, UNIMPLEMENTED for a method
that the listener does not serve, and RESOURCE_EXHAUSTED without details for a message of more than 64 KiB above 32 MiB, which it
refuses before the mesh sees it.
"""


def main() -> None:
    """Writes or checks the page."""
    text = page()
    if "--check" not in sys.argv:
        ERRORS.write_text(text, encoding="utf-8")
    elif not ERRORS.exists() or ERRORS.read_text(encoding="utf-8") != text:
        print("docs/errors.md is stale: run `make docs`", file=sys.stderr)
        raise SystemExit(1)


def page() -> str:
    """The whole page."""
    contracts = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen" / "llm_mesh.binpb").read_bytes())
    comments = {file.name: dict(_comments(file)) for file in contracts.file}
    return "\n".join([HEAD, *(line for area in AREAS for line in _table(comments, area))])


def _table(comments: dict[str, dict[str, str]], area: str) -> Iterator[str]:
    """One area's reasons, in the order of their numbers."""
    enum = importlib.import_module(f"llm_mesh.{area}.v1.errors_pb2").ErrorReason.DESCRIPTOR
    yield f"## {area}\n"
    yield "| reason | gRPC | HTTP | meaning | what to do |"
    yield "|---|---|---|---|---|"
    for value in enum.values[1:]:
        rule = value.GetOptions().Extensions[RULE]
        code = errors_pb2.StatusCode.Name(rule.code).removeprefix("STATUS_CODE_")
        meaning = comments[enum.file.name][value.name]
        yield f"| `{value.name.removeprefix('ERROR_REASON_')}` | {code} | {rule.http} | {meaning} | {rule.remedy} |"
    yield ""


def _comments(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[str, str]]:
    """The comments of enum values, by value name. In a descriptor's paths, 5 is a file's enums and 2 an enum's values."""
    for location in file.source_code_info.location:
        if len(location.path) == 4 and location.path[0] == 5 and location.path[2] == 2:  # noqa: PLR2004 - see above
            value = file.enum_type[location.path[1]].value[location.path[3]]
            yield value.name, " ".join(location.leading_comments.split())


if __name__ == "__main__":
    main()
