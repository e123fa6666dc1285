"""One request from its arrival to its last byte, with its two lines in the log."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final
from uuid import uuid4

import orjson

from llm_mesh_simulator.domain.behaviour import Behaviour, Fault
from llm_mesh_simulator.domain.behaviours import Behaviours
from llm_mesh_simulator.domain.errors import RefusalKind, RefusedError, UnknownScriptError
from llm_mesh_simulator.domain.log import Log
from llm_mesh_simulator.provider.connection import AsgiRequest, ClientGoneError, Scope, TooLargeError
from llm_mesh_simulator.provider.delivery import DeliveryOutcome, deliver
from llm_mesh_simulator.provider.dialects import ServedDialect, ServedPath
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.forms import parsed_form
from llm_mesh_simulator.provider.reply import AnswerIdentity, PreparedAnswer, Reply

_NOTED: Final = ("x-request-id", "idempotency-key", "traceparent", "x-stainless-retry-count", "user-agent", "x-client-request-id")
_SECRET: Final = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "x-amz-security-token"})
_MODEL_IN_PATH: Final = "/model/"
_FORM = b"--"
"""No JSON begins so."""
_HTML: Final = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1>simulated</body></html>\n"


@dataclass(slots=True)
class Counters:
    """How much has happened since the start."""

    received: int = 0
    in_flight: int = 0
    completed: int = 0
    failed: int = 0
    refused: int = 0
    client_gone: int = 0
    cancelled: int = 0


class Exchanges:
    """Answers requests one by one, each under the behaviour of its model."""

    def __init__(self, behaviours: Behaviours, log: Log, *, api_key: str, body_limit: int, keep_requests: int) -> None:
        self.counters = Counters()
        self.requests: deque[tuple[str, str, Mapping[str, str], bytes]] = deque(maxlen=keep_requests)
        self._behaviours = behaviours
        self._log = log
        self._api_key = api_key
        self._body_limit = body_limit
        self._boot = uuid4().hex[:12]

    def identity(self) -> AnswerIdentity:
        """The next request's number, unlike any other of any run."""
        self.counters.received += 1
        number = f"{self._boot}{self.counters.received:012x}"
        return AnswerIdentity("req_" + number, number, int(time.time()))

    async def serve(self, scope: Scope, connection: AsgiRequest, endpoint: ServedPath) -> None:
        """Answers one request."""
        identity = self.identity()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path: str = scope["path"]
        self.counters.in_flight += 1
        try:
            raw = await connection.body(self._body_limit)
        except ClientGoneError:
            self.counters.in_flight -= 1
            return
        except TooLargeError:
            error = RefusedError("Request exceeds the maximum allowed number of bytes.", kind=RefusalKind.TOO_LARGE)
            await deliver(connection, endpoint.dialect.refusal(error, identity.request), Behaviour())
            self.counters.in_flight -= 1
            return
        self.requests.append((identity.request, path, headers, raw))
        entry = _arrival(identity, endpoint.dialect, path, headers, raw)
        behaviour, reply = self._answer(endpoint, headers, path, raw, identity, entry)
        self._log.append(entry)
        outcome = DeliveryOutcome("cancelled", 0, 0)
        try:
            outcome = await deliver(connection, reply, behaviour)
        finally:
            self._settle(identity, reply, behaviour, outcome, connection)

    def _answer(
        self, endpoint: ServedPath, headers: Mapping[str, str], path: str, raw: bytes, identity: AnswerIdentity, entry: dict[str, object]
    ) -> tuple[Behaviour, Reply]:
        """The reply, and how to deliver it; fills in what the log says of the request."""
        dialect = endpoint.dialect
        try:
            body = _parsed(raw, dialect)
            model = _model(body, path)
            entry["model"] = model
            if model and "model" not in body:
                body["model"] = model
            self._check(dialect, headers)
            behaviour = self._behaviours.next(model)
            prepared = endpoint.read(RequestFields(body, dialect.phrasing))
        except UnknownScriptError as error:
            unknown = RefusedError(f"The model does not exist: {error}", kind=RefusalKind.NOT_FOUND, param="model", code="model_not_found")
            return Behaviour(), dialect.refusal(unknown, identity.request)
        except RefusedError as error:
            return Behaviour(), dialect.refusal(error, identity.request)
        entry["prompt_tokens"] = prepared.prompt_tokens
        entry["stream"] = prepared.stream
        return _behaved(dialect, prepared, behaviour, identity, entry)

    def check_key(self, dialect: ServedDialect, headers: Mapping[str, str]) -> None:
        """Refuses a request without the key, where one is wanted."""
        if self._api_key and dialect.credential(headers) != self._api_key:
            raise RefusedError("Incorrect API key provided.", kind=RefusalKind.AUTHENTICATION, code="invalid_api_key")

    def _check(self, dialect: ServedDialect, headers: Mapping[str, str]) -> None:
        self.check_key(dialect, headers)
        dialect.check(headers)

    def _settle(
        self, identity: AnswerIdentity, reply: Reply, behaviour: Behaviour, outcome: DeliveryOutcome, connection: AsgiRequest
    ) -> None:
        kind, what = outcome.kind, ""
        if behaviour.fault is not Fault.NONE:
            what = behaviour.fault.value
        elif reply.status >= 400:  # noqa: PLR2004  the first error status
            kind = "client_gone" if kind == "client_gone" else "failed" if behaviour.status else "refused"
            what = f"status-{reply.status}"
        setattr(self.counters, kind, getattr(self.counters, kind) + 1)
        self.counters.in_flight -= 1
        line: dict[str, object] = {
            "event": "served",
            "id": identity.request,
            "at": time.time(),
            "outcome": kind,
            "fault": what,
            "status": reply.status,
            "tokens": outcome.tokens,
            "ms": round((outcome.seconds or connection.elapsed()) * 1000, 3),
        }
        if kind == "completed" and reply.usage is not None:
            line["usage"] = reply.usage
        self._log.append(line)

    def bodies(self, limit: int) -> list[dict[str, object]]:
        """What the last requests were, with masked credentials."""
        shown: list[dict[str, object]] = []
        for request, path, headers, raw in list(self.requests)[-limit:]:
            masked = {name: "***" if name in _SECRET else value for name, value in headers.items()}
            shown.append({"id": request, "path": path, "headers": masked, "body": raw.decode("utf-8", "replace")})
        return shown


def _behaved(
    dialect: ServedDialect, prepared: PreparedAnswer, behaviour: Behaviour, identity: AnswerIdentity, entry: dict[str, object]
) -> tuple[Behaviour, Reply]:
    if behaviour.fault is Fault.HTML:
        return behaviour, Reply(502, [(b"content-type", b"text/html")], _HTML)
    if behaviour.status:
        # The wait before an error is honoured; its few bytes come at once.
        calm = replace(behaviour, rate=0, wire=frozenset())
        return calm, dialect.failure(behaviour, identity.request)
    reply = prepared.reply(behaviour, identity)
    entry["completion_tokens"] = reply.tokens
    if reply.usage is not None:
        entry["usage"] = reply.usage
    return behaviour, reply


def _arrival(identity: AnswerIdentity, dialect: ServedDialect, path: str, headers: Mapping[str, str], raw: bytes) -> dict[str, object]:
    entry: dict[str, object] = {
        "event": "received",
        "id": identity.request,
        "at": time.time(),
        "dialect": dialect.name,
        "path": path,
        "model": "",
        "digest": "sha256:" + sha256(raw).hexdigest(),
    }
    noted = {name: value for name, value in headers.items() if name in _NOTED or name.startswith(("llm-mesh-", "x-llm-mesh-"))}
    return {**noted, **entry}


def _parsed(raw: bytes, dialect: ServedDialect) -> dict[str, object]:
    if raw.startswith(_FORM):
        return parsed_form(raw)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        message = "We could not parse the JSON body of your request." if dialect.name == "openai" else "The request body is not valid JSON"
        raise RefusedError(f"{message} ({error})") from error
    if not isinstance(body, dict):
        raise RefusedError("The request body must be a JSON object.")
    return body


def _model(body: Mapping[str, object], path: str) -> str:
    model = body.get("model")
    if isinstance(model, str):
        return model
    if path.startswith(_MODEL_IN_PATH):  # Bedrock names the model in the path, whose own slashes are encoded
        return path.removeprefix(_MODEL_IN_PATH).rpartition("/")[0]
    # So does the Gemini dialect, before the method,
    _, separator, rest = path.partition("/models/")
    if separator:
        return rest.rpartition(":")[0]
    # and Azure, as a deployment.
    _, separator, rest = path.partition("/deployments/")
    return rest.split("/", 1)[0] if separator else ""
