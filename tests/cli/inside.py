"""Commands in the process of the test: what they write and how they end, without the time that a process of their own takes."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, fields
from unittest import mock

import pytest

from llm_mesh_cli.app import app
from tests.e2e.running import RunningMesh


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def run(*words: str, env: Mapping[str, str], stdin: str = "") -> Ended:
    """Run one command."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, env, clear=True),
        mock.patch.object(sys, "stdin", io.StringIO(stdin)),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        app(list(words), prog_name="llm-mesh")
    return Ended(int(ended.value.code or 0), out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class CommandLine:
    """The command line of somebody who administers a mesh."""

    mesh: RunningMesh

    def ask(self, *words: str, stdin: str = "") -> Ended:
        return run(*words, env={**self.mesh.env, "LLM_MESH_DATA_DIR": str(self.mesh.data_dir)}, stdin=stdin)

    def done(self, *words: str, stdin: str = "") -> str:
        """The output of a command that does what it is asked."""
        ended = self.ask(*words, stdin=stdin)
        assert ended.code == 0, (words, ended)
        return ended.out


@dataclass(frozen=True)
class MeshWithin(RunningMesh):
    """A mesh whose commands run in the process of the test."""

    def cli(self, *words: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """See `RunningMesh`. A command has a loop of its own, so that from within another it takes a process."""
        if asyncio._get_running_loop() is not None:
            return super().cli(*words, env=env, stdin=stdin)
        ended = run(*words, env={**self.env, "LLM_MESH_DATA_DIR": str(self.data_dir), **(env or {})}, stdin=stdin or "")
        return subprocess.CompletedProcess(words, ended.code, ended.out, ended.err)


def within(mesh: RunningMesh) -> RunningMesh:
    """The same mesh, with commands that take a few milliseconds; one of separate processes as it is."""
    if type(mesh) is not RunningMesh:
        return mesh
    return MeshWithin(**{field.name: getattr(mesh, field.name) for field in fields(RunningMesh)})
