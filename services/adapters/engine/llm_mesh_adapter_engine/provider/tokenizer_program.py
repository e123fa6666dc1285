"""What child processes run for tokenizers that engines hand out: one is loaded and tried there before the adapter loads it.

`answer` is called with a `tokenizer.json`. Nobody but a child process imports this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tokenizers import Tokenizer

from llm_mesh_adapter_engine.provider.template_words import OK, WRONG

_LETTERS: Final = ("a", " ", "1", "\n", "aA", "a ", "1a", "'s", "\u00fc", "\u4e2d", ".")
_TEXTS: Final = tuple(letters * (4_096 // len(letters)) + end for letters in _LETTERS for end in ("", "!"))
"""Patterns that a tokenizer splits texts by may need exponential time: these show it, as far as it shows at repeated letters."""


def answer(parts: Sequence[bytes]) -> list[bytes]:
    """The answer to one call."""
    try:
        tokenizer = Tokenizer.from_str(parts[0].decode())
        for text in _TEXTS:
            tokenizer.decode(tokenizer.encode(text).ids)
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001 - the library raises nothing narrower, and panics beside
        return [WRONG, str(error)[:300].encode(errors="replace")]
    return [OK]
