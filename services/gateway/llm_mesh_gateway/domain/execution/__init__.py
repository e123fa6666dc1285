"""Carries out plans: an executor per kind of node, over one commit point and one settlement."""

from llm_mesh_gateway.domain.execution.branch import Branch
from llm_mesh_gateway.domain.execution.execution import Execution
from llm_mesh_gateway.domain.execution.executors import EXECUTORS, Executor, Executors
from llm_mesh_gateway.domain.execution.plan import attempts_of
from llm_mesh_gateway.domain.execution.retries import Retries

__all__ = ["EXECUTORS", "Branch", "Execution", "Executor", "Executors", "Retries", "attempts_of"]
