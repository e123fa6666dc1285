"""Log lines hold what helps and nothing that harms."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from llm_mesh_runtime.context import FRAME, Frame
from llm_mesh_runtime.log import configure_log, get_logger
from llm_mesh_runtime.secret import Secret

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """JSON logs of a test, parsed."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_log(level="info", format="json", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_a_line_is_one_json_object_with_time_level_and_event(lines: Lines) -> None:
    get_logger(service="policy").info("key created", key="mk_1", n=3)
    (line,) = lines()
    assert line["event"] == "key created"
    assert (line["level"], line["service"], line["n"]) == ("info", "policy", 3)
    assert line["timestamp"].endswith("Z")


def test_a_line_inside_of_a_call_has_its_request_id_and_trace_id(lines: Lines) -> None:
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    token = FRAME.set(Frame(request_id="r-1", service="router", metadata={"traceparent": parent}))
    get_logger().info("planned")
    FRAME.reset(token)
    get_logger().info("outside")
    inside, outside = lines()
    assert (inside["request_id"], inside["trace_id"], inside["service"]) == ("r-1", "a" * 32, "router")
    assert "request_id" not in outside


@pytest.mark.parametrize(
    "value",
    [
        Secret("hunter2hunter2"),
        {"deep": [Secret("hunter2hunter2")]},
        {"authorization": "hunter2hunter2"},
        "Bearer hunter2hunter2",
        "mk_0123456789abcdef_hunter2hunter2hunter2",
        "the key sk-hunter2hunter2 was refused",
        b"hunter2hunter2",
    ],
)
def test_no_secret_is_written(lines: Lines, value: object) -> None:
    get_logger().info("said", value=value)
    assert "hunter2" not in json.dumps(lines())


@pytest.mark.parametrize("character", ["\x1b", "\x00", "\x7f", "\x9b", "\u2028", "\u202e", "\udc80"])
def test_control_characters_arrive_escaped(lines: Lines, character: str) -> None:
    get_logger().info(f"a{character}b", name=f"c{character}d")
    (line,) = lines()
    assert character not in line["event"] + line["name"]
    assert "\\" in line["event"]


def test_text_from_outside_cannot_forge_a_line_on_a_terminal() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_log(format="console", stream=stream)
    get_logger().info("said\n2026-01-01 [info] forged", name="x\r\ny")
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    assert len(stream.getvalue().splitlines()) == 1


def test_a_stack_is_shown_on_a_terminal_line_by_line() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_log(format="console", stream=stream)
    get_logger().warning("slow", stack=["turns.py:1 turn", "loop.py:2\nforged"])
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    assert stream.getvalue().splitlines()[1:] == ["turns.py:1 turn", "loop.py:2\\nforged"]


def test_a_traceback_is_part_of_its_line_and_shows_no_locals(lines: Lines) -> None:
    prompt = "private " + "words"
    try:
        int(len(prompt) / 0)
    except ZeroDivisionError as error:
        get_logger().error("failed", exc_info=error)
    (line,) = lines()
    assert "ZeroDivisionError" in line["exception"]
    assert prompt not in json.dumps(line)


def test_what_libraries_log_has_the_same_form(lines: Lines) -> None:
    logging.getLogger("some.package").warning("started %s", "x\x1by")
    (line,) = lines()
    assert (line["logger"], line["level"], line["event"]) == ("some.package", "warning", "started x\\x1by")


def test_below_the_level_nothing_is_written(lines: Lines) -> None:
    get_logger().debug("quiet")
    assert lines() == []


def test_endless_text_is_cut(lines: Lines) -> None:
    get_logger().info("x" * 100_000)
    assert len(lines()[0]["event"]) < 10_000
