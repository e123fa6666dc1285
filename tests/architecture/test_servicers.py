"""A servicer of ours answers every RPC of its contract itself: the generated default would answer without an ErrorInfo."""

import importlib
import inspect

import pytest

from llm_mesh.router.v1 import router_pb2_grpc
from tests.architecture.repository import Member, members


def unanswered(servicer: type) -> list[str]:
    """The RPCs that a class leaves to the generated default."""
    generated = [base for base in servicer.__mro__ if base.__module__.endswith("_pb2_grpc")]
    methods = {name: function for base in generated for name, function in vars(base).items() if inspect.isfunction(function)}
    return sorted(name for name, default in methods.items() if getattr(servicer, name) is default)


def servicers(member: Member) -> list[type]:
    """The classes of a member that complete a generated one; what others build on is a part, not a servicer."""
    modules = [importlib.import_module(member.name(path)) for path in member.modules if "servicer" in member.name(path)]
    classes = {item for module in modules for item in vars(module).values() if inspect.isclass(item) and item.__module__ == module.__name__}
    complete = [item for item in classes if any(base.__module__.endswith("_pb2_grpc") for base in item.__mro__)]
    return sorted((item for item in complete if not item.__subclasses__()), key=lambda item: item.__qualname__)


@pytest.mark.parametrize("member", members(), ids=lambda member: member.package)
def test_every_rpc_is_answered(member: Member) -> None:
    assert {item.__qualname__: missing for item in servicers(member) if (missing := unanswered(item))} == {}


def test_an_rpc_without_an_answer_is_found() -> None:
    class Half(router_pb2_grpc.RouterServiceServicer):
        async def Plan(self, request: object, context: object) -> None:  # type: ignore[override]  # answers nothing
            pass

    assert "Plan" not in unanswered(Half)
    assert "GetRoute" in unanswered(Half)
