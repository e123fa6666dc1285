"""Heads that an auditor saves elsewhere: by them a trail proves later that it has only grown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError

from llm_mesh.policy.v1 import audit_pb2
from llm_mesh_cli.failures import CommandError, Exit

_FORM = "llm-mesh audit heads v1"


def save(path: Path, heads: Iterable[audit_pb2.ChainHead]) -> None:
    """Writes heads to a file, whole or not at all."""
    content = {"form": _FORM, "time": datetime.now(UTC).isoformat(timespec="seconds"), "heads": [MessageToDict(head) for head in heads]}
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)


def saved(path: Path) -> dict[str, audit_pb2.ChainHead]:
    """The heads in a file, by writer."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        form, heads = content["form"], [ParseDict(head, audit_pb2.ChainHead()) for head in content["heads"]]
    except (ValueError, KeyError, TypeError, ParseError):
        form, heads = "", []
    if form != _FORM:
        raise CommandError(f"{path}: expected a file that `llm-mesh audit verify --save` wrote", Exit.USAGE)
    return {head.writer: head for head in heads}
