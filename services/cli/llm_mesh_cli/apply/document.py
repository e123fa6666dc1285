"""The form of the file: domains with everything that they own, and the platform's floors and adapters."""

from __future__ import annotations

import json
import re
from collections.abc import MutableSequence
from pathlib import Path

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.inference.v1 import content_pb2
from llm_mesh.policy.v1 import floors_pb2, identity_pb2, ledger_pb2, rules_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_cli.apply.desired import PLATFORM, DesiredState
from llm_mesh_cli.apply.filling import fill, names
from llm_mesh_cli.apply.reading import FileError, FileNode, read
from llm_mesh_cli.session import model_name, subject_name
from llm_mesh_cli.templates import ROLES, replaced

_ID = re.compile(r"[a-z0-9-]{1,63}")
_BUILT_IN = ("platform-admin", "domain-admin", "developer", "application", "auditor", "viewer")
_OWNED = ("projects", "principals", "roles", "bindings", "budgets", "limits", "models", "routes", "prompts", "subscriptions")
_PARTS = {
    "description": "description",
    "labels": "labels",
    "note": "version.note",
    "variables": "version.variables_schema_json",
    **dict.fromkeys(("messages", *ROLES), "version.messages"),
}
"""By key of a prompt in the file: what it changes."""


def of_options(root: FileNode, currency: str, *, update: bool) -> DesiredState:
    """What options of a command describe. An update names only what changes."""
    document = _Document(currency, update=update)
    document.take(root)
    return document.desired


def parsed(path: Path, currency: str) -> DesiredState:
    """What the file wants; `FileError` with everything that is wrong with it."""
    problems: list[str] = []
    document = _Document(currency)
    document.take(read(path, problems))
    if problems:
        raise FileError(problems)
    return document.desired


class _Document:
    def __init__(self, currency: str, *, update: bool = False) -> None:
        self.desired = DesiredState()
        self._currency = currency
        self._update = update

    def take(self, root: FileNode) -> None:
        fields = root.fields("floors", "domains", "adapters", "endpoints")
        for item in fields["floors"].items() if "floors" in fields else ():
            self._floor(item)
        domains = [self._domain(item) for item in (fields["domains"].items() if "domains" in fields else ())]
        for item in fields["adapters"].items() if "adapters" in fields else ():
            listed_fields = item.fields("name", *names(registry_pb2.Adapter()))
            adapter = registry_pb2.Adapter(name=f"adapters/{_id(item, listed_fields)}")
            paths = fill(adapter, listed_fields, self._currency)
            self.desired.note("registry", "adapters", adapter, item, paths)
        for item in fields["endpoints"].items() if "endpoints" in fields else ():
            self._endpoint(item)
        self.desired.address(domains, whole=not fields.keys().isdisjoint({"adapters", "endpoints", "floors"}))

    def _endpoint(self, place: FileNode) -> None:
        endpoint = registry_pb2.Endpoint()
        fields = place.fields("adapter", "name", *names(endpoint))
        adapter = _required(place, fields, "adapter")
        endpoint.name = f"adapters/{adapter}/endpoints/{_id(place, fields)}"
        paths = fill(endpoint, fields, self._currency)
        _name_domains(endpoint.domains)
        endpoint.operator = _domain_name(endpoint.operator) if endpoint.operator else PLATFORM
        self.desired.note("registry", "endpoints", endpoint, place, paths)

    def _domain(self, place: FileNode) -> str:
        domain = identity_pb2.Domain()
        fields = place.fields("name", *names(domain), *_OWNED)
        domain.name = f"domains/{_id(place, fields)}"
        described = [name for name in names(domain) if name in fields]
        if described or not any(name in fields for name in _OWNED):
            self.desired.note("policy", "domains", domain, place, fill(domain, fields, self._currency))
        for collection in _OWNED:
            for item in fields[collection].items() if collection in fields else ():
                getattr(self, f"_{collection}")(domain.name, item, _local_roles(fields))
        return domain.name

    def _floor(self, place: FileNode) -> None:
        floor = floors_pb2.Floor()
        fields = place.fields("name", *names(floor))
        floor.name = f"{PLATFORM}/floors/{_id(place, fields)}"
        paths = fill(floor, fields, self._currency)
        _name_domains(floor.may_publish_to)
        _name_domains(floor.may_accept_from)
        self.desired.note("policy", "floors", floor, place, paths)

    def _budgets(self, domain: str, place: FileNode, _roles: frozenset[str]) -> None:
        budget = ledger_pb2.Budget()
        fields = place.fields("name", *names(budget))
        budget.name = f"{domain}/budgets/{_id(place, fields)}"
        if domain != PLATFORM:
            place.problem("only the platform has budgets here; a project has its own `budget`")
        for name in ("subject", "amount"):
            if name not in fields:
                place.problem(f"{name} is required")
        self.desired.note("policy", "budgets", budget, place, fill(budget, fields, self._currency))

    def _projects(self, domain: str, place: FileNode, _roles: frozenset[str]) -> None:
        project = identity_pb2.Project()
        fields = place.fields("name", "budget", *names(project))
        project.name = f"{domain}/projects/{_id(place, fields)}"
        self.desired.note("policy", "projects", project, place, fill(project, fields, self._currency))
        if "budget" in fields:
            self._budget(project.name, fields["budget"])

    def _budget(self, project: str, place: FileNode) -> None:
        """A project's own budget; `null` deletes it."""
        budget = ledger_pb2.Budget(name=f"{project}/budget")
        if place.is_null:
            self.desired.note("policy", "budgets", budget, place, ["amount"])
            return
        amounts = place.fields(*names(budget))
        if "amount" not in amounts:
            place.problem("amount is required")
        self.desired.note("policy", "budgets", budget, place, fill(budget, amounts, self._currency))

    def _principals(self, domain: str, place: FileNode, _roles: frozenset[str]) -> None:
        principal = identity_pb2.Principal()
        fields = place.fields("name", *names(principal))
        principal.name = f"{domain}/principals/{_id(place, fields)}"
        self.desired.note("policy", "principals", principal, place, fill(principal, fields, self._currency))

    def _roles(self, domain: str, place: FileNode, _roles: frozenset[str]) -> None:
        role = rules_pb2.Role()
        fields = place.fields("name", *names(role))
        role.name = f"{domain}/roles/{_id(place, fields)}"
        self.desired.note("policy", "roles", role, place, fill(role, fields, self._currency))

    def _bindings(self, domain: str, place: FileNode, roles: frozenset[str]) -> None:
        fields = place.fields("name", "principal", "role", "scope")
        principal, role = (_required(place, fields, name) for name in ("principal", "role"))
        binding_id = fields["name"].text() if "name" in fields else f"{_last(principal)}-{_last(role)}"[:63]
        scope = fields["scope"].text() if "scope" in fields and not fields["scope"].is_null else ""
        built_in = role in _BUILT_IN and role not in roles
        binding = rules_pb2.Binding(
            name=f"{domain}/bindings/{binding_id}",
            principal=principal if "/" in principal else f"{domain}/principals/{principal}",
            role=role if "/" in role else f"roles/{role}" if built_in else f"{domain}/roles/{role}",
            scope=f"{domain}/{scope}" if scope.startswith("projects/") else scope,
        )
        self.desired.note("policy", "bindings", binding, place, [name for name in fields if name != "name"])

    def _limits(self, domain: str, place: FileNode, _roles: frozenset[str]) -> None:
        limit = ledger_pb2.Limit()
        fields = place.fields("name", *names(limit))
        limit.name = f"{domain}/limits/{_id(place, fields)}"
        for name in ("metric", "amount"):
            if name not in fields:
                place.problem(f"{name} is required")
            elif fields[name].is_null:
                fields[name].problem("expected a value; a limit goes away with `llm-mesh limits delete`")
        paths = fill(limit, fields, self._currency)
        limit.subject = subject_name(domain, limit.subject)
        self.desired.note("policy", "limits", limit, place, paths)

    def _models(self, domain: str, place: FileNode, _roles: frozenset[str]) -> None:
        model = registry_pb2.Model()
        fields = place.fields("name", *names(model))
        model.name = f"{domain}/models/{_id(place, fields)}"
        for name in () if self._update else ("adapter", "endpoint", "upstream_model"):
            _required(place, fields, name)
        paths = fill(model, fields, self._currency)
        model.alias = model.alias or model.name.rpartition("/")[2]
        _name_domains(model.shared_with)
        self.desired.note("registry", "models", model, place, paths)

    def _routes(self, domain: str, place: FileNode, _roles: frozenset[str]) -> None:
        route = router_pb2.Route()
        fields = place.fields("name", *names(route))
        route.name = f"{domain}/routes/{_id(place, fields)}"
        paths = fill(route, fields, self._currency)
        route.alias = route.alias or route.name.rpartition("/")[2]
        _name_domains(route.shared_with)
        for target in route.targets:
            target.model = model_name(domain, target.model)
        self.desired.note("router", "routes", route, place, paths)

    def _subscriptions(self, domain: str, place: FileNode, _roles: frozenset[str]) -> None:
        fields = place.fields("name", "publisher", "product", "alias", "accepted_version")
        subscription = registry_pb2.Subscription(name=f"{domain}/subscriptions/{_id(place, fields)}")
        named = [name for name in fields if name != "name"]
        for field in [name for name in named if not fields[name].is_null]:
            text = fields[field].text()
            setattr(subscription, field, _domain_name(text) if field in {"publisher", "product"} else text)
        if bool(subscription.publisher) == bool(subscription.product):
            place.problem("expected either publisher or product")
        self.desired.note("subscriptions", "subscriptions", subscription, place, named)

    def _prompts(self, domain: str, place: FileNode, _roles: frozenset[str]) -> None:
        fields = place.fields("name", *_PARTS)
        prompt = catalogue_pb2.WantedPrompt(name=f"{domain}/prompts/{_id(place, fields)}")
        for name, holder in (("description", prompt), ("note", prompt.version)):
            if name in fields and not fields[name].is_null:
                setattr(holder, name, fields[name].text())
        prompt.labels.extend(item.text() for item in (fields["labels"].items() if "labels" in fields else ()))
        if "variables" in fields and not fields["variables"].is_null:
            prompt.version.variables_schema_json = json.dumps(fields["variables"].plain(), ensure_ascii=False, sort_keys=True)
        templates = {name: None if fields[name].is_null else fields[name].text() for name in ROLES if name in fields}
        for item in fields["messages"].items() if "messages" in fields else ():
            role_fields = item.fields("role", "template")
            role = _required(item, role_fields, "role")
            if role not in ROLES:
                item.problem(f"role: expected one of {', '.join(ROLES)}")
            prompt.version.messages.add(role=ROLES.get(role, content_pb2.ROLE_USER), template=_required(item, role_fields, "template"))
        if templates and "messages" in fields:
            place.problem(f"expected either messages or {', '.join(templates)}")
        if templates:
            self.desired.templates[prompt.name] = templates
            prompt.version.messages.extend(replaced(prompt.name, (), templates))
        if not fields.keys() & _PARTS.keys():
            place.problem("expected a template, as system, user, assistant or messages, or something else of the prompt that changes")
        paths = dict.fromkeys(_PARTS[name] for name in fields if name in _PARTS)
        self.desired.note("catalogue", "prompts", prompt, place, paths)


def _id(place: FileNode, fields: dict[str, FileNode]) -> str:
    name = _required(place, fields, "name")
    if name and _ID.fullmatch(name) is None:
        fields["name"].problem("expected 1 to 63 of a-z, 0-9 and -")
    return name


def _required(place: FileNode, fields: dict[str, FileNode], name: str) -> str:
    if name not in fields:
        place.problem(f"{name} is required")
        return ""
    return fields[name].text()


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _local_roles(fields: dict[str, FileNode]) -> frozenset[str]:
    """Names of the domain's own roles, which win over built-in ones."""
    if "roles" not in fields:
        return frozenset()
    value = fields["roles"].plain()
    return frozenset(str(each.get("name")) for each in value if isinstance(each, dict)) if isinstance(value, list) else frozenset()


def _domain_name(text: str) -> str:
    """`claims` is `domains/claims`; `*` and `-` name no domain."""
    return text if text in {"*", "-"} or text.startswith("domains/") else f"domains/{text}"


def _name_domains(names: MutableSequence[str]) -> None:
    names[:] = [_domain_name(each) for each in names]
