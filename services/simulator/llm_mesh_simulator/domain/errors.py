"""What the simulator refuses, in terms that each dialect puts into its own shape."""

from enum import Enum


class RefusalKind(Enum):
    """Kinds of refusal that clients tell apart; the value is the HTTP status."""

    INVALID = 400
    AUTHENTICATION = 401
    PERMISSION = 403
    NOT_FOUND = 404
    METHOD = 405
    TOO_LARGE = 413


class RefusedError(Exception):
    """A request that a real provider would refuse too. `code` and `param` are what the OpenAI dialect adds."""

    def __init__(self, message: str, *, kind: RefusalKind = RefusalKind.INVALID, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code


class UnknownScriptError(ValueError):
    """A behaviour that does not exist or has a wrong value; the text says what would be right."""
