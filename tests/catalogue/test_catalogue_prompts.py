"""Prompts are kept and rendered alike in memory, in SQLite and in PostgreSQL; versions never change."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.inference.v1 import content_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_catalogue.domain.catalogue import Catalogue
from llm_mesh_catalogue.domain.rendering import Renderer
from llm_mesh_catalogue.settings import Settings
from llm_mesh_catalogue.store.prompts import SqlPrompts
from llm_mesh_catalogue.store.tables import METADATA
from llm_mesh_runtime.database import Database, drift
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import page_of
from tests.catalogue.in_process import InProcess
from tests.databases import migrated
from tests.recorded import outbox_of

CLAIMS, GREET = "domains/claims", "domains/claims/prompts/greet"
SCHEMA = '{"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer", "default": 3}}, "required": ["name"]}'


async def catalogue(database: Database) -> Catalogue:
    await migrated(database, "llm_mesh_catalogue.store.migrations")
    return Catalogue(SqlPrompts(database, outbox_of(database), Settings().quotas), Renderer(InProcess()), freshness=60)


def version(template: str = "Hello {{ name }}, {{ n }}", schema: str = SCHEMA) -> catalogue_pb2.PromptVersion:
    message = catalogue_pb2.MessageTemplate(role=content_pb2.ROLE_USER, template=template)
    return catalogue_pb2.PromptVersion(messages=[message], variables_schema_json=schema)


async def greeting(prompts: Catalogue, *templates: str) -> None:
    await prompts.create(CLAIMS, "greet", catalogue_pb2.Prompt())
    for template in templates or ("Hello {{ name }}, {{ n }}",):
        await prompts.add_version(catalogue_pb2.CreateVersionRequest(parent=GREET, version=version(template)), "ana")


async def text(prompts: Catalogue, name: str = GREET, domain: str = CLAIMS, **fields: Any) -> str:
    request = catalogue_pb2.RenderRequest(name=name, **({"variables_json": '{"name": "Ana"}'} | fields))
    messages, _ = await prompts.render(domain, request)
    return messages[0].parts[0].text.text


async def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    await catalogue(database)
    assert await drift(database, METADATA) == []


async def test_a_prompt_renders_its_newest_version_until_one_is_in_production(database: Database) -> None:
    prompts = await catalogue(database)
    await greeting(prompts, "one {{ name }}", "two {{ name }}")
    assert await text(prompts) == "two Ana"
    prompt = await prompts.get(GREET)
    prompt.labels["production"] = 1
    await prompts.update(catalogue_pb2.UpdatePromptRequest(prompt=prompt))
    assert await text(prompts) == "one Ana"
    assert await text(prompts, label="latest") == "two Ana"
    assert await text(prompts, f"{GREET}/versions/2") == "two Ana"


async def test_a_prompt_is_named_by_its_last_part_within_its_domain_only(database: Database) -> None:
    prompts = await catalogue(database)
    await greeting(prompts)
    assert await text(prompts, "greet") == await text(prompts, "prompts/greet") == "Hello Ana, 3"
    for name in (GREET, "greet", "prompts/greet", "domains/claims/prompts/none"):
        with pytest.raises(MeshError, match="PROMPT_NOT_FOUND"):
            await text(prompts, name, domain="domains/other")


async def test_shared_prompts_serve_every_domain(database: Database) -> None:
    prompts = await catalogue(database)
    await prompts.create("domains/shared", "greet", catalogue_pb2.Prompt())
    request = catalogue_pb2.CreateVersionRequest(parent="domains/shared/prompts/greet", version=version())
    await prompts.add_version(request, "ops")
    assert await text(prompts, "domains/shared/prompts/greet", domain="domains/other") == "Hello Ana, 3"


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ("{}", "prompt.variables.name"),
        ('{"name": 1}', "prompt.variables.name"),
        ('{"name": "a", "x": 1}', "prompt.variables.x"),
        ("[1]", "variables_json"),
        ("{", "variables_json"),
    ],
)
async def test_a_wrong_variable_is_named(database: Database, variables: str, field: str) -> None:
    prompts = await catalogue(database)
    await greeting(prompts)
    with pytest.raises(MeshError) as failure:
        await text(prompts, variables_json=variables)
    assert failure.value.field == field


async def test_the_same_content_is_the_same_version(database: Database) -> None:
    prompts = await catalogue(database)
    await greeting(prompts, "a", "a", "b", "a")
    numbers = [found.number for found in (await prompts.versions(GREET, page_of(catalogue_pb2.ListVersionsRequest())))[0]]
    assert numbers == [3, 2, 1]


async def test_a_diff_shows_what_changed(database: Database) -> None:
    prompts = await catalogue(database)
    await greeting(prompts, "Hello\n{{ name }}", "Goodbye\n{{ name }}")
    diff = await prompts.diff(GREET, 1, 2)
    assert "-Hello" in diff
    assert "+Goodbye" in diff
    assert await prompts.diff(GREET, 2, 2) == ""


async def test_an_update_needs_the_present_etag_and_labels_that_exist(database: Database) -> None:
    prompts = await catalogue(database)
    await greeting(prompts)
    stale = await prompts.get(GREET)
    fresh = catalogue_pb2.Prompt()
    fresh.CopyFrom(stale)
    fresh.description = "new"
    mask = FieldMask(paths=["description"])
    await prompts.update(catalogue_pb2.UpdatePromptRequest(prompt=fresh, update_mask=mask))
    with pytest.raises(MeshError, match="ETAG_MISMATCH"):
        await prompts.update(catalogue_pb2.UpdatePromptRequest(prompt=stale, update_mask=mask))
    wrong = await prompts.get(GREET)
    wrong.labels["production"] = 9
    with pytest.raises(MeshError, match=r"prompt.labels\[production\]"):
        await prompts.update(catalogue_pb2.UpdatePromptRequest(prompt=wrong))


@pytest.mark.parametrize(
    ("template", "schema", "reason", "field"),
    [
        ("{{ x", "", "TEMPLATE_INVALID", "version.messages[0].template"),
        ("{{ x() }}", "", "TEMPLATE_INVALID", "version.messages[0].template"),
        ("a", "{", "SCHEMA_INVALID", "version.variables_schema_json"),
        ("a", '{"type": "string"}', "SCHEMA_INVALID", "version.variables_schema_json"),
        ("a", '{"type": "object", "properties": {"a": {"pattern": "(a+)+"}}}', "SCHEMA_INVALID", "version.variables_schema_json"),
        ("a", '{"type": "object", "properties": {"a": {"$ref": "file:///x"}}}', "SCHEMA_INVALID", "version.variables_schema_json"),
    ],
)
async def test_a_version_that_cannot_be_rendered_is_not_kept(
    database: Database, template: str, schema: str, reason: str, field: str
) -> None:
    prompts = await catalogue(database)
    await prompts.create(CLAIMS, "greet", catalogue_pb2.Prompt())
    with pytest.raises(MeshError) as failure:
        await prompts.add_version(catalogue_pb2.CreateVersionRequest(parent=GREET, version=version(template, schema)), "ana")
    assert (failure.value.reason_name, failure.value.field) == (reason, field)
    assert (await prompts.get(GREET)).latest_version == 0


async def test_an_apply_keeps_what_it_does_not_name(database: Database) -> None:
    prompts = await catalogue(database)
    wanted = catalogue_pb2.WantedPrompt(name=GREET, description="d", version=version(), labels=["production"])
    await prompts.apply(catalogue_pb2.ApplyPromptsRequest(parent=CLAIMS, prompts=[wanted]), "ana")
    schema = (await prompts.version(f"{GREET}/versions/latest")).variables_schema_json
    assert schema
    pushed = catalogue_pb2.WantedPrompt(name=GREET, version=version("new {{ name }}", ""))
    request = catalogue_pb2.ApplyPromptsRequest(parent=CLAIMS, prompts=[pushed])
    await prompts.apply(request, "ana")
    newest = await prompts.version(f"{GREET}/versions/latest")
    assert (newest.number, newest.variables_schema_json, newest.messages[0].template) == (2, schema, "new {{ name }}")
    kept = await prompts.get(GREET)
    assert (kept.description, dict(kept.labels)) == ("d", {"production": 1})
    request.prompts[0].version.messages[0].template = "new"
    request.update_masks[GREET].paths.extend(["description", "version.variables_schema_json"])
    await prompts.apply(request, "ana")
    assert (await prompts.get(GREET)).description == ""
    newest = await prompts.version(f"{GREET}/versions/latest")
    assert (newest.variables_schema_json, newest.messages[0].template) == ("", "new {{ name }}")


async def test_an_apply_is_idempotent_atomic_and_dry_when_asked(database: Database) -> None:
    prompts = await catalogue(database)
    wanted = catalogue_pb2.WantedPrompt(name=GREET, description="d", version=version(), labels=["production"])
    request = catalogue_pb2.ApplyPromptsRequest(parent=CLAIMS, prompts=[wanted], dry_run=True)
    create, update, none = (getattr(resources_pb2, f"CHANGE_ACTION_{kind}") for kind in ("CREATE", "UPDATE", "NONE"))
    assert [change.action for change in await prompts.apply(request, "ana")] == [create]
    request.dry_run = False
    assert [change.action for change in await prompts.apply(request, "ana")] == [create]
    assert [change.action for change in await prompts.apply(request, "ana")] == [none]
    request.prompts[0].version.messages[0].template = "new {{ name }}"
    changes = await prompts.apply(request, "ana")
    assert [change.action for change in changes] == [update]
    assert {field.path for field in changes[0].fields} == {"labels", "version"}
    assert await text(prompts) == "new Ana"
