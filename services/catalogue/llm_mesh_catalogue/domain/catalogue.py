"""The catalogue as its servicer sees it."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.inference.v1 import content_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_catalogue.domain.completing import completed
from llm_mesh_catalogue.domain.errors import prompt_not_found
from llm_mesh_catalogue.domain.names import DOMAIN, PROMPT, Reference, checked_labels, domain_of, reference_of
from llm_mesh_catalogue.domain.ports import Prompts
from llm_mesh_catalogue.domain.rendering import Renderer
from llm_mesh_runtime.errors import MeshError, invalid
from llm_mesh_runtime.resources import Page, check_masks, checked_id, is_within, masked_update

MOST_ENTRIES = 500
"""Prompts in one `ApplyPrompts`."""
_PLATFORM = "domains/platform"
_ATTEMPTS = 4
_DEFAULT_LABEL = "production"
_LONGEST_TEXT = 4096
_MOST_CACHED = 10_000
_KEPT_BYTES = 64 * 1024 * 1024

K = TypeVar("K")
V = TypeVar("V")


class Catalogue:
    """Keeps prompts, and renders them."""

    def __init__(self, store: Prompts, renderer: Renderer, *, freshness: float) -> None:
        self._store = store
        self._renderer = renderer
        self._recent = Recent(store, freshness)

    async def create(self, parent: str, prompt_id: str, prompt: catalogue_pb2.Prompt) -> catalogue_pb2.Prompt:
        """A new prompt, without versions."""
        DOMAIN.parse(parent, "parent")
        _check_text(prompt.description, "prompt.description")
        if prompt.labels:
            raise invalid("prompt.labels", "must be empty: there are no versions yet")
        name = f"{parent}/prompts/{checked_id(prompt_id, 'prompt_id')}"
        return await self._store.create(catalogue_pb2.Prompt(name=name, description=prompt.description))

    async def get(self, name: str) -> catalogue_pb2.Prompt:
        """A prompt by its name."""
        PROMPT.parse(name)
        return await self._store.get(name)

    async def page(self, parent: str, page: Page) -> tuple[Sequence[catalogue_pb2.Prompt], str]:
        """Prompts of a domain, and the token of the next page."""
        DOMAIN.parse(parent, "parent")
        return page.cut(await self._store.page(parent, page), key=lambda prompt: prompt.name)

    async def update(self, request: catalogue_pb2.UpdatePromptRequest) -> catalogue_pb2.Prompt:
        """Changes description and labels."""
        desired = request.prompt
        PROMPT.parse(desired.name, "prompt.name")
        if not desired.etag:
            raise invalid("prompt.etag", "must be the etag of the prompt as it was read")
        present = await self._store.get(desired.name)
        if not request.update_mask.paths:
            request.update_mask.paths.extend(("description", "labels"))
        updated = masked_update(present, desired, request.update_mask, mutable=("description", "labels"))
        _check_text(updated.description, "prompt.description")
        checked_labels(updated.labels, "prompt.labels")
        for label, number in updated.labels.items():
            if not 1 <= number <= present.latest_version:
                raise invalid(f"prompt.labels[{label}]", f"must be a version from 1 to {present.latest_version}")
        updated.etag = desired.etag
        stored = await self._store.update(updated)
        self._recent.forget(stored.name)
        return stored

    async def add_version(self, request: catalogue_pb2.CreateVersionRequest, creator: str) -> catalogue_pb2.PromptVersion:
        """A new version of a prompt."""
        PROMPT.parse(request.parent, "parent")
        checked_labels(request.labels, "labels")
        version = await self._prepared(request.parent, request.version, "version", creator)
        added = await self._store.add_version(request.parent, version, request.labels, request.etag)
        self._recent.forget(request.parent)
        return added

    async def version(self, name: str) -> catalogue_pb2.PromptVersion:
        """A version by number, label or `latest`."""
        return await self._resolved(reference_of(name, ""))

    async def versions(self, parent: str, page: Page) -> tuple[Sequence[catalogue_pb2.PromptVersion], str]:
        """Versions of a prompt, newest first, and the token of the next page."""
        PROMPT.parse(parent, "parent")
        await self._store.get(parent)
        return page.cut(await self._store.versions(parent, page), key=lambda version: str(version.number))

    async def diff(self, name: str, from_number: int, to_number: int) -> str:
        """How two versions differ, as a unified diff."""
        PROMPT.parse(name)
        before = _lines(await self._store.version(name, from_number))
        after = _lines(await self._store.version(name, to_number))
        names = f"versions/{from_number}", f"versions/{to_number}"
        return await self._renderer.diff(domain_of(name), "\n".join(before), "\n".join(after), names)

    async def render(
        self, domain: str, request: catalogue_pb2.RenderRequest, *, foreign: bool = False
    ) -> tuple[Sequence[content_pb2.Message], str]:
        """The messages of a prompt that the domain may see, or a `foreign` one that the caller may render, and the version's name."""
        version = await self._resolved(reference_of(request.name, request.label, domain, foreign=foreign))
        return await self._renderer.render(domain, version, request.variables_json), version.name

    async def apply(self, request: catalogue_pb2.ApplyPromptsRequest, creator: str) -> Sequence[resources_pb2.Change]:
        """Brings prompts to a wanted state. Only the platform names prompts of several domains."""
        DOMAIN.parse(request.parent, "parent")
        if len(request.prompts) > MOST_ENTRIES:
            count = len(request.prompts)
            raise invalid("prompts", f"at most {MOST_ENTRIES} in one call, not {count}: split them among several calls")
        for index, desired in enumerate(request.prompts):
            place = f"prompts[{index}]"
            PROMPT.parse(desired.name, f"{place}.name")
            if request.parent != _PLATFORM and not is_within(desired.name, request.parent):
                raise invalid(f"{place}.name", f"must be within {request.parent}")
            _check_text(desired.description, f"{place}.description")
            checked_labels(desired.labels, f"{place}.labels")
        names = [desired.name for desired in request.prompts]
        if len(set(names)) != len(names):
            raise invalid("prompts", "must name each prompt once")
        check_masks(request.update_masks, names)
        changes = await self._apply(request, names, creator)
        for name in names:
            self._recent.forget(name)
        return changes

    async def _apply(
        self, request: catalogue_pb2.ApplyPromptsRequest, names: Sequence[str], creator: str
    ) -> Sequence[resources_pb2.Change]:
        """Applies to the prompts as they stand, and again where one changes meanwhile."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._apply_once(request, names, creator)
            except MeshError as error:
                if error.reason_name != "ETAG_MISMATCH":
                    raise
        return await self._apply_once(request, names, creator)

    async def _apply_once(
        self, request: catalogue_pb2.ApplyPromptsRequest, names: Sequence[str], creator: str
    ) -> Sequence[resources_pb2.Change]:
        standing = await self._store.standing(names)
        targets = []
        for index, desired in enumerate(request.prompts):
            target = completed(desired, standing.get(desired.name), request.update_masks)
            target.version.CopyFrom(await self._prepared(target.name, target.version, f"prompts[{index}].version", creator))
            targets.append(target)
        etags = {name: present.prompt.etag for name, present in standing.items()}
        return await self._store.apply(targets, etags, dry_run=request.dry_run)

    async def _prepared(self, prompt: str, version: catalogue_pb2.PromptVersion, field: str, creator: str) -> catalogue_pb2.PromptVersion:
        """The version as it will be kept, once it is known to compile."""
        _check_text(version.note, f"{field}.note")
        await self._renderer.check(domain_of(prompt), version, field)
        content = catalogue_pb2.PromptVersion(messages=version.messages, variables_schema_json=version.variables_schema_json)
        digest = hashlib.sha256(content.SerializeToString(deterministic=True)).digest()
        content.MergeFrom(catalogue_pb2.PromptVersion(note=version.note, creator=creator, digest=digest))
        return content

    async def _resolved(self, reference: Reference) -> catalogue_pb2.PromptVersion:
        if reference.number:
            return await self._recent.version(reference.prompt, reference.number)
        prompt = await self._recent.prompt(reference.prompt)
        number = prompt.labels.get(reference.label or _DEFAULT_LABEL, 0)
        if not number and (not reference.label or reference.label == "latest"):
            number = prompt.latest_version
        if not number:
            raise prompt_not_found(f"{reference.prompt} with the label {reference.label}" if reference.label else reference.prompt)
        return await self._recent.version(reference.prompt, number)


class Recent:
    """What was read lately, so that rendering reads no database: versions for ever, labels for `freshness` seconds."""

    def __init__(self, store: Prompts, freshness: float) -> None:
        self._store = store
        self._freshness = freshness
        self._prompts: OrderedDict[str, tuple[float, catalogue_pb2.Prompt]] = OrderedDict()
        self._versions: OrderedDict[tuple[str, int], catalogue_pb2.PromptVersion] = OrderedDict()
        self._bytes = 0

    async def prompt(self, name: str) -> catalogue_pb2.Prompt:
        """The prompt, at most `freshness` old."""
        known = self._prompts.get(name)
        if known is not None and time.monotonic() - known[0] < self._freshness:
            return known[1]
        read_at = time.monotonic()
        prompt = await self._store.get(name)
        self._prompts[name] = (read_at, prompt)
        _bound(self._prompts)
        return prompt

    async def version(self, name: str, number: int) -> catalogue_pb2.PromptVersion:
        version = self._versions.get((name, number))
        if version is not None:
            return version
        version = await self._store.version(name, number)
        if (name, number) not in self._versions:
            self._versions[name, number] = version
            self._bytes += version.ByteSize()
            while self._bytes > _KEPT_BYTES or len(self._versions) > _MOST_CACHED:
                self._bytes -= self._versions.popitem(last=False)[1].ByteSize()
        return version

    def forget(self, name: str) -> None:
        """The prompt has changed."""
        self._prompts.pop(name, None)


def _bound(cache: OrderedDict[K, V]) -> None:
    if len(cache) > _MOST_CACHED:
        cache.popitem(last=False)


def _check_text(text: str, field: str) -> None:
    if len(text.encode()) > _LONGEST_TEXT:
        raise invalid(field, f"must be at most {_LONGEST_TEXT} bytes")


def _lines(version: catalogue_pb2.PromptVersion) -> list[str]:
    lines: list[str] = []
    for message in version.messages:
        role = content_pb2.Role.Name(message.role).removeprefix("ROLE_").lower()
        lines += [f"[{role}]", *message.template.splitlines()]
    schema: Iterable[str] = version.variables_schema_json.splitlines()
    return [*lines, "[variables]", *schema]
