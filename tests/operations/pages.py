"""Blocks of a page: commands, with what they print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """Commands of a page, and the output that the page shows for them, where `…` stands for anything."""

    language: str
    commands: str
    output: str

    def is_as_shown(self, output: str) -> bool:
        """Whether an output is the one of the page."""
        pattern = ".*".join(re.escape(part.strip()) for part in self.output.split("…"))
        return re.fullmatch(rf"\s*{pattern}\s*", output, re.DOTALL) is not None


def steps(page: Path) -> list[Step]:
    """The steps of a page in their order."""
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    following = [*blocks[1:], ("", "")]
    return [
        Step(language, text, after[1] if after[0] == "text" else "…")
        for (language, text), after in zip(blocks, following, strict=True)
        if language != "text"
    ]
