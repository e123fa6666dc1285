"""What a request holds, as screening sees it: each text where it stands, with what it is and the means to replace it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Flow(Enum):
    """Which texts a reader reads one after another: a finding may go on from one text to the next of the same flow."""

    CONVERSATION = "conversation"
    """What is said: texts, tool arguments and results, in their order."""
    TOOLS = "tools"
    """Descriptions and schemas."""
    IDENTIFIERS = "identifiers"
    """Names and ids."""
    ATTRIBUTES = "attributes"
    """All else."""


class TextForm(Enum):
    """How a text is written, and what its mask must still be."""

    TEXT = "text"
    JSON = "json"
    """JSON text. It stays JSON."""
    SCHEMA = "schema"
    """JSON Schema. A number stays a number."""
    NAME = "name"
    """A name or id of `[A-Za-z0-9_-]`. The same name is replaced by the same name everywhere."""
    URI = "uri"
    """A URI. The mask is percent-encoded."""
    KEY = "key"
    """A key that cannot be another one: its entry is removed."""
    OPAQUE = "opaque"
    """Nothing that can be read. `text` says what it is."""


@dataclass(slots=True)
class Slot:
    """One text where it stands."""

    field: str
    text: str
    put: Callable[[str], None]
    """Puts another text in its place."""
    form: TextForm = TextForm.TEXT
    flow: Flow = Flow.CONVERSATION
