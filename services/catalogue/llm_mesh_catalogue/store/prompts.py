"""Prompts in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, insert, select, update

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_catalogue.domain.errors import prompt_not_found
from llm_mesh_catalogue.domain.ports import CurrentPrompt
from llm_mesh_catalogue.store.tables import PROMPTS, VERSIONS
from llm_mesh_runtime.database import Database, for_update, from_micros, upsert
from llm_mesh_runtime.errors import already_exists, etag_mismatch
from llm_mesh_runtime.outbox import Notes, Outbox
from llm_mesh_runtime.resources import Page, Quotas, change_of, etag_of

_STAMPS = ("name", "etag", "create_time", "update_time", "latest_version")


class SqlPrompts:
    """The store of prompts. A prompt's row is locked while a change of it or its versions is made."""

    def __init__(self, database: Database, outbox: Outbox, quotas: Quotas) -> None:
        self._database = database
        self._outbox = outbox
        self._quotas = quotas

    async def create(self, prompt: catalogue_pb2.Prompt) -> catalogue_pb2.Prompt:
        def work(connection: Connection, notes: Notes) -> catalogue_pb2.Prompt:
            if not self._begin(connection, prompt):
                raise already_exists(prompt.name)
            created = _locked(connection, prompt.name)
            notes.note(created.name, None, created)
            return created

        return await self._outbox.write(work, action="prompts.create")

    async def get(self, name: str) -> catalogue_pb2.Prompt:
        body = await self._database.read(lambda connection: connection.scalar(select(PROMPTS.c.body).where(PROMPTS.c.name == name)))
        if body is None:
            raise prompt_not_found(name)
        return catalogue_pb2.Prompt.FromString(body)

    async def page(self, domain: str, page: Page) -> Sequence[catalogue_pb2.Prompt]:
        statement = select(PROMPTS.c.body).where(PROMPTS.c.domain == domain, PROMPTS.c.name > page.after).order_by(PROMPTS.c.name)
        return await self._database.read(
            lambda connection: [catalogue_pb2.Prompt.FromString(body) for body in connection.scalars(statement.limit(page.limit))]
        )

    async def update(self, prompt: catalogue_pb2.Prompt) -> catalogue_pb2.Prompt:
        def work(connection: Connection, notes: Notes) -> catalogue_pb2.Prompt:
            present = _locked(connection, prompt.name)
            if present.etag != prompt.etag:
                raise etag_mismatch(prompt.name)
            return self._put(connection, notes, prompt, present)

        return await self._outbox.write(work, action="prompts.update")

    async def add_version(
        self, name: str, version: catalogue_pb2.PromptVersion, labels: Sequence[str], etag: str
    ) -> catalogue_pb2.PromptVersion:
        def work(connection: Connection, notes: Notes) -> catalogue_pb2.PromptVersion:
            prompt = _locked(connection, name)
            if etag and etag != prompt.etag:
                raise etag_mismatch(name)
            return self._add(connection, notes, prompt, version, labels, before=_copy(prompt))

        return await self._outbox.write(work, action="prompts.update")

    async def version(self, name: str, number: int) -> catalogue_pb2.PromptVersion:
        version = await self._database.read(lambda connection: _version(connection, name, number))
        if version is None:
            raise prompt_not_found(f"{name}/versions/{number}")
        return version

    async def versions(self, name: str, page: Page) -> Sequence[catalogue_pb2.PromptVersion]:
        statement = select(VERSIONS.c.body).where(VERSIONS.c.prompt == name).order_by(VERSIONS.c.number.desc()).limit(page.limit)
        if page.after.isdecimal():
            statement = statement.where(VERSIONS.c.number < int(page.after))
        return await self._database.read(
            lambda connection: [catalogue_pb2.PromptVersion.FromString(body) for body in connection.scalars(statement)]
        )

    async def standing(self, names: Sequence[str]) -> Mapping[str, CurrentPrompt]:
        def work(connection: Connection) -> dict[str, CurrentPrompt]:
            bodies = connection.scalars(select(PROMPTS.c.body).where(PROMPTS.c.name.in_(names)))
            prompts = [catalogue_pb2.Prompt.FromString(body) for body in bodies.all()]
            return {prompt.name: CurrentPrompt(prompt, _version(connection, prompt.name, prompt.latest_version)) for prompt in prompts}

        return await self._database.read(work)

    async def apply(
        self, desired: Sequence[catalogue_pb2.WantedPrompt], etags: Mapping[str, str], *, dry_run: bool
    ) -> Sequence[resources_pb2.Change]:
        def compare(connection: Connection) -> list[resources_pb2.Change]:
            return [_change(connection, prompt) for prompt in desired]

        def work(connection: Connection, notes: Notes) -> list[resources_pb2.Change]:
            created = set()
            for prompt in desired:  # locks first, in the order of the request
                if self._begin(connection, catalogue_pb2.Prompt(name=prompt.name, description=prompt.description)):
                    created.add(prompt.name)
            changes = []
            for prompt in desired:
                present = _locked(connection, prompt.name)
                if prompt.name not in created and present.etag != etags.get(prompt.name):
                    raise etag_mismatch(prompt.name)
                change = _change(connection, prompt)
                if change.action != resources_pb2.CHANGE_ACTION_NONE:
                    before = None if prompt.name in created else _copy(present)
                    present.description = prompt.description
                    self._add(connection, notes, present, prompt.version, prompt.labels, before=before)
                changes.append(change)
            return changes

        return await (self._database.read(compare) if dry_run else self._outbox.write(work, action="prompts.apply"))

    def _begin(self, connection: Connection, prompt: catalogue_pb2.Prompt) -> bool:
        """Keeps the prompt where its name is free."""
        now = self._database.now(connection)
        stored = catalogue_pb2.Prompt()
        stored.CopyFrom(prompt)
        stored.create_time.FromDatetime(from_micros(now))
        stored.update_time.CopyFrom(stored.create_time)
        stored.etag = etag_of(stored, ignore=("etag",))
        row = {"domain": _domain(stored.name), "etag": stored.etag, "body": stored.SerializeToString(), "updated": now}
        begun = bool(upsert(connection, PROMPTS, {"name": stored.name, **row}, key=["name"], update=[]))
        if begun:
            count = select(func.count()).where(PROMPTS.c.domain == row["domain"])
            self._quotas.check(_domain(stored.name), "prompts", connection.scalar(count) or 0)
        return begun

    def _put(
        self, connection: Connection, notes: Notes, prompt: catalogue_pb2.Prompt, before: catalogue_pb2.Prompt | None
    ) -> catalogue_pb2.Prompt:
        now = self._database.now(connection)
        prompt.update_time.FromDatetime(from_micros(now))
        prompt.etag = etag_of(prompt, ignore=("etag",))
        row = {"etag": prompt.etag, "body": prompt.SerializeToString(), "updated": now}
        connection.execute(update(PROMPTS).where(PROMPTS.c.name == prompt.name).values(**row))
        notes.note(prompt.name, before, prompt)
        return prompt

    def _add(
        self,
        connection: Connection,
        notes: Notes,
        prompt: catalogue_pb2.Prompt,
        version: catalogue_pb2.PromptVersion,
        labels: Sequence[str],
        *,
        before: catalogue_pb2.Prompt | None,
    ) -> catalogue_pb2.PromptVersion:
        newest = _version(connection, prompt.name, prompt.latest_version)
        if newest is None or newest.digest != version.digest:
            newest = catalogue_pb2.PromptVersion()
            newest.CopyFrom(version)
            prompt.latest_version += 1
            self._quotas.check(prompt.name, "versions", prompt.latest_version)
            newest.number = prompt.latest_version
            newest.name = f"{prompt.name}/versions/{newest.number}"
            newest.create_time.FromDatetime(from_micros(self._database.now(connection)))
            row = {"prompt": prompt.name, "number": newest.number, "digest": newest.digest, "body": newest.SerializeToString()}
            connection.execute(insert(VERSIONS).values(**row))
            notes.note(newest.name, None, newest)
        for label in labels:
            prompt.labels[label] = newest.number
        self._put(connection, notes, prompt, before)
        return newest


def _copy(prompt: catalogue_pb2.Prompt) -> catalogue_pb2.Prompt:
    copy = catalogue_pb2.Prompt()
    copy.CopyFrom(prompt)
    return copy


def _locked(connection: Connection, name: str) -> catalogue_pb2.Prompt:
    body = connection.scalar(for_update(select(PROMPTS.c.body).where(PROMPTS.c.name == name)))
    if body is None:
        raise prompt_not_found(name)
    return catalogue_pb2.Prompt.FromString(body)


def _version(connection: Connection, name: str, number: int) -> catalogue_pb2.PromptVersion | None:
    body = connection.scalar(select(VERSIONS.c.body).where(VERSIONS.c.prompt == name, VERSIONS.c.number == number))
    return None if body is None else catalogue_pb2.PromptVersion.FromString(body)


def _change(connection: Connection, desired: catalogue_pb2.WantedPrompt) -> resources_pb2.Change:
    """How a wanted prompt differs from the present one: its description, its newest content, its labels."""
    body = connection.scalar(select(PROMPTS.c.body).where(PROMPTS.c.name == desired.name))
    present = None if body is None else catalogue_pb2.Prompt.FromString(body)
    newest = None if present is None else _version(connection, desired.name, present.latest_version)
    if present is None or newest is None:
        return change_of(desired.name, None, desired)
    target = catalogue_pb2.Prompt()
    target.CopyFrom(present)
    target.description = desired.description
    same = newest.digest == desired.version.digest
    for label in desired.labels:
        target.labels[label] = present.latest_version + (0 if same else 1)
    change = change_of(desired.name, present, target, ignore=_STAMPS)
    if not same:
        before, after = f"versions/{present.latest_version}", f"versions/{present.latest_version + 1}"
        change.fields.append(resources_pb2.FieldChange(path="version", before=before, after=after))
        change.action = resources_pb2.CHANGE_ACTION_UPDATE
    return change


def _domain(name: str) -> str:
    return name.split("/prompts/", 1)[0]
