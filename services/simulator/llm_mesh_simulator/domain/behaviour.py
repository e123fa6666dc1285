"""How the simulator treats a request: one value that says what it answers, how fast, and what goes wrong."""

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """Where the words of an answer come from."""

    ECHO = "echo"
    """The user's last text, or the tool's result."""
    WORDS = "words"
    """Seeded words."""
    TEXT = "text"
    """The text that the behaviour gives."""


class Fault(StrEnum):
    """What goes wrong below the level of a well-formed error answer."""

    NONE = "none"
    RESET = "reset"
    """The connection is reset (RST) before any byte of an answer."""
    HANGUP = "hangup"
    """The connection is closed (FIN) before any byte of an answer."""
    NOT_HTTP = "not-http"
    """Bytes that are not HTTP, then close."""
    STALL = "stall"
    """Nothing is sent: not even the status line."""
    OK_STALL = "ok-stall"
    """Status 200 and the headers, then nothing."""
    MID_STALL = "mid-stall"
    """The answer stops coming after `after` tokens; the connection stays open."""
    MID_RESET = "mid-reset"
    """The connection is reset after `after` tokens."""
    MID_HANGUP = "mid-hangup"
    """The connection is closed after `after` tokens, so that the body is visibly incomplete."""
    MID_ERROR = "mid-error"
    """The dialect's error event after `after` tokens of a stream."""
    TRUNCATE = "truncate"
    """A stream ends in good order after `after` tokens, without finish reason and end mark; JSON ends in the middle."""
    NO_DONE = "no-done"
    """Everything but the end mark (`[DONE]`, `message_stop`)."""
    MALFORMED = "malformed"
    """A body that is not JSON; in a stream, such an event after `after` tokens."""
    EMPTY = "empty"
    """Status 200 and an empty body."""
    HTML = "html"
    """Status 502 and the HTML page of a proxy."""


class Quirk(StrEnum):
    """Legal but unusual ways to put an answer on the wire. A client must read the same answer from all."""

    CRLF = "crlf"
    COMMENTS = "comments"
    UNKNOWN = "unknown"
    """A field that no specification knows, in each object."""
    DUPLICATE = "duplicate"
    """A key twice in each object; the last one counts."""
    HUGE = "huge"
    """One megabyte of padding in one event."""
    SPLIT = "split"
    """Each character of several bytes is cut between two writes."""
    DRIP = "drip"
    """Seven bytes per write."""


class UsageReport(StrEnum):
    """Whether the answer's usage says what was used."""

    EXACT = "exact"
    MISSING = "missing"
    ZERO = "zero"


class ToolHabit(StrEnum):
    """When the model calls the tools that it is offered."""

    ON_REQUEST = "asked"
    """When the text names one, or asks for a tool, or the request forces it."""
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Everything that can be set. The defaults are an honest and instant echo."""

    answer: Style = Style.ECHO
    text: str = ""
    tokens: int = 32
    """Length of an answer of seeded words."""
    tools: ToolHabit = ToolHabit.ON_REQUEST
    calls: int = 1
    """How often each chosen tool is called."""
    refusal: bool = False
    finish: str = ""
    """A finish reason to report instead of the true one, in the dialect's own words."""

    headers_ms: int | None = None
    """When the headers go out, counted from the arrival; None: together with the first token."""
    ttft_ms: int = 0
    """When the first token goes out, counted from the arrival."""
    rate: float = 0
    """Tokens per second; 0 is as fast as the connection takes them."""

    status: int = 0
    """An HTTP status from 400 up answers with the dialect's error body."""
    error: str = ""
    """A kind of error of its own where the status leaves a choice: `context_length`, `quota`, `overloaded`."""
    retry_after: float | None = None
    fault: Fault = Fault.NONE
    after: int = 3
    """How many tokens go out before a fault in the middle of an answer."""
    stall_ms: int = 0
    """How long a stall lasts before the answer goes on; 0: until the client leaves."""
    first: int = 0
    """Only the first so many requests fail; 0: all of them."""

    wire: frozenset[Quirk] = frozenset()
    drip_ms: int = 1
    """The pause between the writes of `split` and `drip`."""

    usage: UsageReport = UsageReport.EXACT
    prompt_tokens: int | None = None
    """The number of input tokens to report instead of the true one."""
    completion_tokens: int | None = None
    """The number of output tokens to report instead of the true one."""
    overbill: float = 1
    """A factor on all reported tokens."""
    cached: int = 0
    """How many input tokens are reported as read from the cache."""
    reasoning: int = 0
    """How many tokens of reasoning come first, whether or not the request asks for any."""
    reasoning_content: bool = False
    """Shows the reasoning in `reasoning_content`, as several OpenAI-compatible servers do."""

    @property
    def fails(self) -> bool:
        """Whether anything here is a failure, which `first` limits."""
        return bool(self.status) or self.fault is not Fault.NONE
