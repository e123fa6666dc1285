"""The simulator's own interface: setting behaviours, and looking at what happened."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import orjson

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.behaviour_fields import changed, plain
from llm_mesh_simulator.domain.behaviours import Behaviours
from llm_mesh_simulator.domain.errors import UnknownScriptError
from llm_mesh_simulator.domain.log import Log
from llm_mesh_simulator.domain.prompt_cache import PromptCache
from llm_mesh_simulator.domain.script import NAMES, behaviour_of
from llm_mesh_simulator.provider.exchange import Exchanges
from llm_mesh_simulator.provider.reply import JSON, Reply

PREFIX = "/_simulator/"
_MAX_SHOWN = 10_000


class Admin:
    """Answers everything below `/_simulator/`."""

    def __init__(self, behaviours: Behaviours, log: Log, exchanges: Exchanges, cache: PromptCache) -> None:
        self._behaviours = behaviours
        self._log = log
        self._exchanges = exchanges
        self._cache = cache

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reply:
        """The answer to one request."""
        area, _, name = path.removeprefix(PREFIX).partition("/")
        routes: dict[tuple[str, str, bool], Callable[[], object]] = {
            ("GET", "behaviours", False): self._all,
            ("DELETE", "behaviours", False): self._reset,
            ("GET", "behaviours", True): lambda: _shown(self._behaviours.all().get(name) or (behaviour_of(name),)),
            ("PUT", "behaviours", True): lambda: self._put(name, body),
            ("DELETE", "behaviours", True): lambda: {"dropped": self._behaviours.drop(name)},
            ("GET", "log", False): lambda: {"path": self._path(), "entries": self._entries(query)},
            ("DELETE", "log", False): self._forget,
            ("GET", "requests", False): lambda: {"requests": self._exchanges.bodies(_limit(query))},
            ("GET", "stats", False): lambda: asdict(self._exchanges.counters),
        }
        handler = routes.get((method, area, bool(name)))
        if handler is None:
            return _reply(404, {"error": f"{method} {path} does not exist"})
        try:
            return _reply(200, handler())
        except (UnknownScriptError, orjson.JSONDecodeError) as error:
            return _reply(400, {"error": str(error)})

    def _all(self) -> object:
        named = {name: {"about": each.about, **each.values} for name, each in NAMES.items()}
        return {"named": named, "set": {model: _shown(sequence) for model, sequence in self._behaviours.all().items()}}

    def _put(self, model: str, body: bytes) -> object:
        settings = orjson.loads(body)
        if not isinstance(settings, dict):
            raise UnknownScriptError("a behaviour is a JSON object")
        base = behaviour_of(str(settings.pop("like", model)))
        parts = settings.pop("sequence", None)
        common = changed(base, settings)
        if parts is None:
            sequence: tuple[Behaviour, ...] = (common,)
        elif isinstance(parts, list) and parts and all(isinstance(part, dict) for part in parts):
            sequence = tuple(changed(common, part) for part in parts)
        else:
            raise UnknownScriptError("'sequence' must be a list of behaviours")
        self._behaviours.put(model, sequence)
        return _shown(sequence)

    def _reset(self) -> object:
        self._behaviours.clear()
        self._cache.clear()
        return {}

    def _entries(self, query: Mapping[str, str]) -> object:
        equal = {key: value for key, value in query.items() if key != "limit"}
        return self._log.recent(_limit(query), **equal)

    def _forget(self) -> object:
        self._log.forget()
        self._exchanges.requests.clear()
        return {}

    def _path(self) -> str | None:
        return None if self._log.path is None else str(self._log.path)


def _limit(query: Mapping[str, str]) -> int:
    limit = query.get("limit", "1000")
    if not limit.isdigit():
        raise UnknownScriptError("'limit' must be a number")
    return min(int(limit), _MAX_SHOWN)


def _shown(sequence: Sequence[Behaviour]) -> dict[str, object]:
    return plain(sequence[0]) if len(sequence) == 1 else {"sequence": [plain(each) for each in sequence]}


def _reply(status: int, body: object) -> Reply:
    return Reply(status, [JSON], orjson.dumps(body))
