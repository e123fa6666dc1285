"""How answers are shown: tables for people, JSON for programs, errors with what can be done about them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from llm_mesh_cli.visible import visible, visible_json

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from rich.console import Console

    from llm_mesh_runtime.errors import MeshError

T = TypeVar("T")
_SILENCE = 0.8
_FIELDS = {"input.model": "--model"}
"""Fields that an option names."""
_UNBROKEN = 1000
"""Columns where no terminal breaks lines."""


class Output:
    """Standard output for answers, standard error for everything else."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    @property
    def console(self) -> Console:
        """For people."""
        from rich.console import Console  # noqa: PLC0415 (only what is shown to people needs it)

        return Console(highlight=False, width=None if sys.stdout.isatty() else _UNBROKEN)

    def line(self, text: str) -> None:
        """One line for people; programs do not get it."""
        if not self.as_json:
            sys.stdout.write(visible(text) + "\n")

    def data(self, value: object) -> None:
        """One value for programs."""
        sys.stdout.write(visible_json(json.dumps(value, ensure_ascii=False, indent=1 if sys.stdout.isatty() else None)) + "\n")

    def message(self, message: Message) -> None:
        """A message, as canonical JSON."""
        self.data(as_dict(message))

    def resource(self, message: Message) -> None:
        """A resource whole: its fields line by line for people, the message for programs."""
        if self.as_json:
            self.message(message)
            return
        from llm_mesh_cli.shown import lines  # noqa: PLC0415 (likewise)

        for line in lines(message):
            self.line(line)

    def table(self, title: Sequence[str], rows: Iterable[Sequence[str]], messages: Sequence[Message] = ()) -> None:
        """Rows for people, the messages for programs."""
        if self.as_json:
            self.data([as_dict(message) for message in messages])
            return
        from rich.table import Table  # noqa: PLC0415 (likewise)
        from rich.text import Text  # noqa: PLC0415 (likewise)

        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in title:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(visible(cell)) for cell in row))
        self.console.print(table, soft_wrap=not sys.stdout.isatty())

    async def waiting(self, work: Awaitable[T], what: str) -> T:
        """Await; where that takes a while, say so to people."""
        task = asyncio.ensure_future(work)
        done, _ = await asyncio.wait([task], timeout=_SILENCE)
        if done or self.as_json or not sys.stderr.isatty():
            return await task
        from rich.console import Console  # noqa: PLC0415 (likewise)

        with Console(stderr=True).status(what):
            return await task

    def note(self, text: str) -> None:
        """Something beside the answer, for people."""
        sys.stderr.write(visible(f"llm-mesh: {text}\n"))

    def error(self, text: str) -> None:
        """An error without a reason of the mesh."""
        if self.as_json:
            sys.stderr.write(visible_json(json.dumps({"error": {"message": text}}, ensure_ascii=False)) + "\n")
        else:
            sys.stderr.write(visible(f"llm-mesh: {text}\n"))

    def failure(self, error: MeshError) -> None:
        """An error of the mesh, with what can be done about it."""
        if self.as_json:
            sys.stderr.write(visible_json(json.dumps({"error": _error_of(error)}, ensure_ascii=False)) + "\n")
            return
        lines = [f"llm-mesh: {error.message} ({error.reason_name})"]
        lines += [f"  {name}: {value}" for name, value in _details(error) if value]
        sys.stderr.write(visible("\n".join(lines)) + "\n")


def as_dict(message: Message) -> dict[str, Any]:
    """A message as canonical JSON has it."""
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 (likewise)

    return MessageToDict(message)


def _error_of(error: MeshError) -> dict[str, object]:
    members = {"reason": error.reason_name, "domain": error.domain, "code": error.code.name, "message": error.message}
    return members | {name: value for name, value in (*_details(error), ("metadata", error.metadata)) if value}


def _details(error: MeshError) -> tuple[tuple[str, object], ...]:
    after = "" if error.retry_after is None else f"{error.retry_after:g} s"
    quota = "; ".join(f"{subject}: {text}" for subject, text in error.quota)
    decision = error.decision_id or error.metadata.get("decision_id", "")
    remedy = f"{error.remedy} `llm-mesh explain {decision}` shows all of the decision.".strip() if decision else error.remedy
    return (
        ("field", _FIELDS.get(error.field, error.field)),
        ("decision", decision),
        ("quota", quota),
        ("retry after", after),
        ("remedy", remedy),
    )
