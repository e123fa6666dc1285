"""Structured logs: one JSON object per line for machines, colours for people, and never content or a secret.

The host configures it once; nothing happens at import. Each line carries the request id and trace id of the call that it
belongs to. Text from outside cannot forge lines or drive a terminal: control characters arrive escaped.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from llm_mesh_runtime.context import FRAME
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.telemetry.trace import trace_id

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

_MASK = "***"
_LONGEST = 8_192
_DEEPEST = 6
# C0 and C1 controls, line and paragraph separators, bidirectional overrides (they reorder what a reader sees), surrogates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSAFE_BUT_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Keys of ours and of the usual providers, and whatever follows an authorisation scheme.
_CREDENTIAL = re.compile(r"\b(mk_[0-9A-Za-z]{1,32}_|mb_|sk-|Bearer\s+)[^\s\"',;]{8,}", re.IGNORECASE)
_TELLING_NAMES = frozenset({"authorization", "api_key", "apikey", "password", "token", "secret", "x-api-key", "cookie"})


def get_logger(**bound: object) -> FilteringBoundLogger:
    """A logger; what is bound to it stands on each of its lines."""
    import structlog  # noqa: PLC0415 - loads for 0.15 s where `rich` is installed: when the host configures it, not at each import

    logger: FilteringBoundLogger = structlog.get_logger(**bound)
    return logger


def configure_log(*, level: str = "info", format: str = "auto", stream: TextIO | None = None, service: str = "") -> None:  # noqa: A002
    """Sends the logs of this process, those of libraries included, to a stream (default: standard error)."""
    import structlog  # noqa: PLC0415 (as above)

    stream = stream if stream is not None else sys.stderr
    console = format == "console" or (format == "auto" and stream.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True), _Context(service)]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(stream, console=console)],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for former in [each for each in root.handlers if isinstance(each.formatter, structlog.stdlib.ProcessorFormatter)]:
        root.removeHandler(former)
    root.addHandler(handler)
    # What libraries say at debug may hold content; at info they chat, so that is only shown to who wants everything of ours.
    root.setLevel(logging.INFO if number < logging.INFO else max(number, logging.WARNING))
    logging.getLogger("llm_mesh").setLevel(number)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_factory,
        cache_logger_on_first_use=False,
    )


def _factory(*names: str) -> logging.Logger:
    return logging.getLogger(names[0] if names else "llm_mesh")


def _rendering(stream: TextIO, *, console: bool) -> list[Processor]:
    import structlog  # noqa: PLC0415 (as above)

    if console:
        return [
            structlog.processors.format_exc_info,
            _safe_for_people,
            structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback),
        ]
    return [structlog.processors.format_exc_info, _safe, structlog.processors.JSONRenderer(serializer=_json)]


class _Context:
    """Adds what the current call is known by."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        if self._service:
            event.setdefault("service", self._service)
        frame = FRAME.get()
        if frame is not None:
            event.setdefault("request_id", frame.request_id)
            if frame.service:
                event["service"] = frame.service
        if trace := trace_id():
            event.setdefault("trace_id", trace)
        return event


def _safe(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """For machines: JSON escapes the ends of lines itself."""
    return {_text(str(key), _UNSAFE): _cleaned(str(key), value, _UNSAFE_BUT_LINES, 0) for key, value in event.items()}


def _safe_for_people(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """For terminals: only tracebacks and stacks have several lines."""
    safe = {
        _text(str(key), _UNSAFE): _cleaned(str(key), value, _UNSAFE_BUT_LINES if key == "exception" else _UNSAFE, 0)
        for key, value in event.items()
    }
    stack = safe.get("stack")
    if isinstance(stack, list):  # structlog takes a text only
        safe["stack"] = "\n".join(stack)
    return safe


def _cleaned(name: str, value: object, unsafe: re.Pattern[str], depth: int) -> object:
    """A value as it may be written: masked, escaped, bounded; a stranger's `repr` is not trusted either."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Secret) or name.lower() in _TELLING_NAMES:
        return _MASK
    if isinstance(value, bytes | bytearray) or depth >= _DEEPEST:
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        return {_text(str(key), unsafe): _cleaned(str(key), inner, unsafe, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned("", inner, unsafe, depth + 1) for inner in value]
    return _text(value if isinstance(value, str) else str(value), unsafe)


def _text(text: str, unsafe: re.Pattern[str]) -> str:
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return unsafe.sub(_escape, _CREDENTIAL.sub(rf"\1{_MASK}", text))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return {9: "\\t", 10: "\\n", 13: "\\r"}.get(code) or (f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}")  # noqa: PLR2004


def _json(event: object, **_options: object) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"), default=str)
