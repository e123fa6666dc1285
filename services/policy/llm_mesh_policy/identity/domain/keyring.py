"""Keys: made, shown, listed, rotated under grace, revoked for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import identity_pb2
from llm_mesh_policy.domain import checks
from llm_mesh_policy.domain.keys import StoredKey
from llm_mesh_policy.domain.kinds import KEY_NAME, PRINCIPALS, PROJECTS
from llm_mesh_policy.identity.domain.credentials import Credential, Pepper, mint
from llm_mesh_policy.rules.ports import require_held
from llm_mesh_runtime.errors import invalid, not_found
from llm_mesh_runtime.resources import NamePattern

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration

    from llm_mesh_policy.domain.actor import Actor
    from llm_mesh_policy.domain.resources import ResourceStore, Transaction
    from llm_mesh_policy.rules.ports import Change, Changes, Done
    from llm_mesh_runtime.resources import Page

_SECOND = 1_000_000
_GRACE = 24 * 3600 * _SECOND
_LONGEST_GRACE = 30 * 24 * 3600 * _SECOND
_LATEST = 253402300799 * _SECOND  # the last second that a Timestamp can tell
_ALL = "-"
_FIELDS = ("display_name", "projects", "allowed_models")
_CURSOR = NamePattern("{time}/{id}")
_CURSOR_DIGITS = 18


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its secret, which is shown this once."""

    key: StoredKey
    credential: Credential


class Keyring:
    """The keys of all projects."""

    def __init__(self, store: ResourceStore, changes: Changes, pepper: Pepper) -> None:
        self._store = store
        self._changes = changes
        self._pepper = pepper

    async def create(self, actor: Actor, project: str, key: identity_pb2.Key) -> NewKey:
        """A key that speaks for a principal of the project's domain, who may do no more than who asks."""
        place = PROJECTS.place(project, "parent")

        def work(change: Change) -> NewKey:
            _checked(change, place[0], key)
            PROJECTS.get(change.transaction, project)
            made = new_key(change.transaction, self._pepper, project, key)
            change.note("keys.create", made.key.name, f"for {key.principal}", after=made.key.message())
            return made

        return (await self._changes.make(actor, work)).value

    async def get(self, name: str) -> StoredKey:
        """A key; NOT_FOUND where there is none."""
        place = KEY_NAME.parse(name)
        key = await self._store.read(lambda transaction: transaction.find_key(*place))
        if key is None:
            raise not_found(name)
        return key

    async def page(self, parent: str, page: Page) -> tuple[Sequence[StoredKey], str]:
        """Keys of a project or, with `-`, of all projects of a domain, newest first."""
        domain, project = PROJECTS.place(parent, "parent")
        before = _cursor(page.after)
        only_project = "" if project == _ALL else project
        keys = await self._store.read(lambda transaction: transaction.page_keys(domain, only_project, before, page.limit))
        return page.cut(keys, lambda key: f"{key.create_time}/{key.id}")

    async def rotate(self, actor: Actor, name: str, grace: Duration | None) -> NewKey:
        """A new secret; the old one holds for the grace."""
        place, seconds = KEY_NAME.parse(name), _grace(grace)

        def work(change: Change) -> NewKey:
            key = _existing(change.transaction, place, name)
            now = change.transaction.now()
            if not key.live(now):
                raise invalid("name", "must name a key that is neither revoked nor expired")
            require_held(change, key.principal, name)
            credential = mint(key.id)
            rotated = replace(
                key,
                digest=self._pepper.digest(credential),
                previous_digest=key.digest if seconds else b"",
                previous_expire_time=now + seconds if seconds else 0,
            )
            change.transaction.save_key(rotated)
            detail = f"the secret before holds for {seconds // _SECOND} s"
            change.note("keys.rotate", name, detail, before=key.message(), after=rotated.message())
            return NewKey(rotated, credential)

        return (await self._changes.make(actor, work)).value

    async def revoke(self, actor: Actor, name: str) -> Done[StoredKey]:
        """Ends a key for good. Repeating it changes nothing."""
        place = KEY_NAME.parse(name)

        def work(change: Change) -> StoredKey:
            key = _existing(change.transaction, place, name)
            if key.revoke_time:
                return key
            require_held(change, key.principal, name)
            revoked = replace(key, revoke_time=change.transaction.now(), previous_digest=b"", previous_expire_time=0)
            change.transaction.save_key(revoked)
            change.note("keys.revoke", name, before=key.message(), after=revoked.message())
            return revoked

        return await self._changes.make(actor, work)


def new_key(transaction: Transaction, pepper: Pepper, project: str, template: identity_pb2.Key) -> NewKey:
    """Makes and stores a key; what it says has been checked."""
    domain, identity = PROJECTS.place(project, "parent")
    credential = mint()
    body = identity_pb2.Key(hint=credential.hint)
    for field in _FIELDS:
        source = getattr(template, field)
        if isinstance(source, str):
            setattr(body, field, source)
        else:
            getattr(body, field).extend(source)
    key = StoredKey(
        domain=domain,
        project=identity,
        id=credential.public_id,
        principal=template.principal,
        body=body.SerializeToString(deterministic=True),
        digest=pepper.digest(credential),
        create_time=transaction.now(),
        expire_time=_micros(template) if template.HasField("expire_time") else 0,
    )
    transaction.save_key(key)
    return NewKey(key, credential)


def _checked(change: Change, domain: str, key: identity_pb2.Key) -> None:
    checks.key(key, "key")
    if not key.principal:
        raise invalid("key.principal", "is required")
    if PRINCIPALS.place(key.principal, "key.principal")[0] != domain:  # and whether it exists is not told
        raise invalid("key.principal", f"must be a principal of domains/{domain}")
    if PRINCIPALS.find(change.transaction, key.principal) is None:
        raise invalid("key.principal", "must be a principal that exists")
    for number, project in enumerate(key.projects):
        field = f"key.projects[{number}]"
        if PROJECTS.place(project, field)[0] != domain:
            raise invalid(field, f"must be a project of domains/{domain}")
        change.require("keys.create", f"{project}/keys")
        if PROJECTS.find(change.transaction, project) is None:
            raise invalid(field, "must be a project that exists")
    if key.HasField("expire_time") and not change.transaction.now() < _micros(key):
        raise invalid("key.expire_time", "must be in the future")
    require_held(change, key.principal, key.principal)


def _micros(key: identity_pb2.Key) -> int:
    seconds = key.expire_time.seconds * _SECOND + key.expire_time.nanos // 1000
    if not 0 < seconds <= _LATEST:
        raise invalid("key.expire_time", "must be a time before the year 10000")
    return seconds


def _grace(grace: Duration | None) -> int:
    if grace is None:
        return _GRACE
    micros = grace.seconds * _SECOND + grace.nanos // 1000
    if not 0 <= micros <= _LONGEST_GRACE:
        raise invalid("grace", "must be 0 to 30 days")
    return micros


def _existing(transaction: Transaction, place: tuple[str, ...], name: str) -> StoredKey:
    key = transaction.find_key(*place)
    if key is None:
        raise not_found(name)
    return key


def _cursor(after: str) -> tuple[int, str] | None:
    if not after:
        return None
    time, identity = _CURSOR.parse(after, "page_token")
    if not time.isdecimal() or len(time) > _CURSOR_DIGITS:
        raise invalid("page_token", "must be the next_page_token of an answer to the same request")
    return int(time), identity
