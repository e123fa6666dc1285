"""Rules of fields, as the contracts declare them: compiled once into checks, and run where a request enters a service (ADR 51)."""

from llm_mesh_runtime.validation.broken import BrokenRule
from llm_mesh_runtime.validation.messages import rule_of
from llm_mesh_runtime.validation.requests import RequestCheck, check_message, request_check
from llm_mesh_runtime.validation.words import expectations

__all__ = ["BrokenRule", "RequestCheck", "check_message", "expectations", "request_check", "rule_of"]
