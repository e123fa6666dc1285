"""What callgrind counted is read once each: the cost of a call belongs to the function that is called."""

from __future__ import annotations

from bench.profiling.callgrind import counted

_FILE = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
thread: 1
positions: line
events: Ir
summary: 0

ob=(1) /usr/lib/libpython3.11.so.1.0
fl=(1) Python/ceval.c
fn=(1) evaluate
10 100
+5 20
cob=(2) /somewhere/_message.abi3.so
cfi=(2) message.c
cfn=(2) read
calls=3 7
* 900
* 1

ob=(2)
fl=(2)
fn=(2)
7 800
-2 100

ob=(1)
fl=(1)
fn=(3) evaluate'2
11 40
cfn=(1)
calls=1 10
+1 5000

totals: 1061
"""


def test_each_instruction_counts_once_where_it_ran() -> None:
    found = counted(_FILE.splitlines(keepends=True))
    assert found.total == 1061
    assert found.libraries == {"libpython3.11.so.1.0": 161, "_message.abi3.so": 900}
    assert found.functions == {"evaluate": 161, "read": 900}  # with its own recursion


def test_an_empty_thread_counts_nothing() -> None:
    assert counted(["version: 1\n", "events: Ir\n", "summary: 0\n", "totals: 0\n"]).total == 0
