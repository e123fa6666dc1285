"""Generates the pages of docs/ that repeat what is written elsewhere: errors, rules, extras, commands, the index of decisions.

python -m tools.docs            writes docs/errors.md, docs/fields.md, docs/extras.md, docs/providers.md, docs/commands.md
                                 and docs/adr/README.md
python -m tools.docs --check    fails where what is committed is stale
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

from llm_mesh.mesh.v1 import errors_pb2, rules_pb2
from llm_mesh.services import SERVICES
from llm_mesh_cli import command_reference
from llm_mesh_dialects.allowing import KeyRule, KeyTreatment, Table
from llm_mesh_dialects.anthropic.allowed import TABLE as ANTHROPIC
from llm_mesh_dialects.bedrock.allowed import TABLE as BEDROCK
from llm_mesh_dialects.cohere.allowed import TABLE as COHERE
from llm_mesh_dialects.gemini.allowed import TABLE as GEMINI
from llm_mesh_dialects.ollama.allowed import TABLE as OLLAMA
from llm_mesh_dialects.openai.allowed import TABLE as OPENAI
from llm_mesh_dialects.responses.allowed import TABLE as RESPONSES
from llm_mesh_runtime.validation import expectations, rule_of
from tools import providers

ROOT = Path(__file__).resolve().parent.parent
ERRORS = ROOT / "docs" / "errors.md"
FIELDS = ROOT / "docs" / "fields.md"
COMMANDS = ROOT / "docs" / "commands.md"
EXTRAS = ROOT / "docs" / "extras.md"
PROVIDERS = ROOT / "docs" / "providers.md"
DECISIONS = ROOT / "docs" / "adr" / "README.md"
AREAS = ("mesh", *dict.fromkeys(each.contracts[0].split(".")[1] for each in SERVICES if each.contracts))
RULE: Any = errors_pb2.error  # generated stubs type an extension as a plain descriptor
ONE_REQUIRED: Any = rules_pb2.one_required

HEAD = """# Errors

Generated from the `ErrorReason` enums of the contracts by `make docs`; do not edit.

Every error has exactly one `google.rpc.ErrorInfo`: `reason` is the word below, `domain` is `<area>.llm-mesh`, `metadata` has what
the reason documents. `BadRequest` names the field, `RetryInfo` says when to try again, `QuotaFailure` whose limit it is, where that
helps. At the HTTP edge the same error has the HTTP status below; in either dialect
`error.llm_mesh_code` is the reason in lower case, `error.param` the field. `error.code` is OpenAI's word in OpenAI's dialect, where it has
one (such as `context_length_exceeded`), else the reason too. What a failed call is charged is one rule, in
[charging.md](charging.md#what-a-failed-call-costs): a refusal before dispatch and an error of the provider cost nothing.

An error that is not in these tables is a defect: gRPC itself only adds CANCELLED and DEADLINE_EXCEEDED, UNIMPLEMENTED for a method
that the listener does not serve, and RESOURCE_EXHAUSTED without details for a message of more than 64 KiB above 32 MiB, which it
refuses before the mesh sees it.
"""

DIALECTS = (
    ("OpenAI dialect", OPENAI),
    ("OpenAI's Responses", RESPONSES),
    ("Anthropic dialect", ANTHROPIC),
    ("Bedrock dialect", BEDROCK),
    ("Cohere dialect", COHERE),
    ("Gemini dialect", GEMINI),
    ("Ollama dialect", OLLAMA),
)
EXTRAS_HEAD = """# Keys beyond the contract

Generated from the tables in `services/dialects` by `make docs`; do not edit.

A request may hold keys of its dialect that the typed contract does not model: `Extra` and `OpaquePart`. What is reserved for a request is
its worst case by the typed contract, so a key that a provider charges for besides, or that reaches beyond what was admitted, must not go on
by itself. Within its dialect each key has one of three fates; in another dialect it is always left out.

- **passed on**: it costs nothing beyond what is reserved.
- **refused**: `EXTRA_NOT_ALLOWED`. Nothing was sent, nothing is charged. A plan goes on with its next target.
- **left out**, with a line in the answer's `translations`; under `fidelity: EXACT` the request fails with `FIDELITY_LOST` instead. This is
  what happens to every key that stands in no table.

The name says where a key stands: `service_tier` in the request itself, `message.…`, `part.…` and `tool.…` in those, `embedding.…`,
`rerank.…`, `decision.…`, `image.…` and so on in the request of that method; `part_type.…` and
`tool_type.…` are parts and tools of a type that is not modelled, `beta.…` features in the header `anthropic-beta`.
A name that ends in `*` stands for all that begin so.

The operator of an endpoint lets more through by the key `extras` of its setting, a list of such names:

```sh
LLM_MESH_ADAPTER_OPENAI_ENDPOINT_VLLM='{"base_url": "http://127.0.0.1:8000/v1", "extras": ["chat_template_kwargs", "guided_*"]}'
LLM_MESH_ADAPTER_OPENAI_ENDPOINT_OPENAI='{"extras": ["service_tier"]}'
```

Whoever allows a key at an endpoint answers for what it costs: the ledger charges by the usage that the provider reports and the model's
price, and knows of no other.

## Addresses of media

`Media.uri` (`image_url`, `file_data`, `source.url`) goes on to a provider only where it is an https address with the usual port, and its
host is public: a name of at least two labels that is in no private or reserved top-level domain, or a public IP address in its usual form.
Anything else is `MEDIA_ADDRESS_NOT_ALLOWED`: other schemes and ports, user and password, `localhost`, `*.internal`, private, link-local,
shared and metadata addresses in every spelling. `data:` URLs hold the bytes themselves and go on.

The mesh does not resolve names and does not fetch media. What a public name resolves to, and where redirects lead, is the provider's to
check; a model server of your own needs a rule of its network that keeps it from fetching what callers should not reach. An endpoint's
operator adds origins by the key `media` of its setting, such as `{"media": ["http://10.1.2.3:8080"]}`; `*` stands for every address.
"""

FIELDS_HEAD = """# Rules of fields

Generated from the options of the contracts (`llm_mesh/mesh/v1/rules.proto`) by `make docs`; do not edit.

A request that breaks a rule is refused with INVALID_FIELD before its method begins: `BadRequest` names the field by its path in the
request, such as `input.messages[2].role`, and what was expected. Lengths are in bytes of UTF-8. A field that is unset keeps all rules but
those that require it. In updates and applies, what a resource requires is checked on the resource as the change leaves it.

Beside these rules, times and durations are valid, and enums have a value that the service knows.
"""

DECISIONS_HEAD = """# Decisions

One page each: status, context, decision, consequences good and bad. A decision is undone by a later one, never edited.
The list is generated from the titles by `make docs`.
"""


def main() -> None:
    """Writes or checks the pages."""
    pages = (
        (ERRORS, page()),
        (FIELDS, fields()),
        (EXTRAS, extras()),
        (PROVIDERS, providers.page()),
        (COMMANDS, command_reference.page()),
        (DECISIONS, decisions()),
    )
    for path, text in pages:
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{path.relative_to(ROOT)} is stale: run `make docs`", file=sys.stderr)
            raise SystemExit(1)


def fields() -> str:
    """The page about what fields of requests may hold, by message."""
    contracts = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen" / "llm_mesh.binpb").read_bytes())
    ours = [file for file in contracts.file if file.package.startswith("llm_mesh.")]
    return "\n".join([FIELDS_HEAD, *(line for file in ours for line in _rules(file))])


def _rules(file: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
    """The rules of one file's messages."""
    module = importlib.import_module(file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
    for message in file.message_type:
        descriptor = getattr(module, message.name).DESCRIPTOR
        rows = [(field.name, ", ".join(expectations(rule))) for field in descriptor.fields if (rule := rule_of(field)).ByteSize()]
        rows = [(name, text) for name, text in rows if text]
        for group in descriptor.oneofs:
            if group.has_options and group.GetOptions().Extensions[ONE_REQUIRED]:
                rows.append((group.name, f"must have one of {', '.join(f'`{field.name}`' for field in group.fields)}"))
        if rows:
            yield f"## {file.package.removeprefix('llm_mesh.')}.{message.name}\n"
            yield "| field | rule |"
            yield "|---|---|"
            yield from (f"| `{name}` | {text.replace('|', chr(92) + '|')} |" for name, text in rows)
            yield ""


def page() -> str:
    """The whole page."""
    contracts = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen" / "llm_mesh.binpb").read_bytes())
    comments = {file.name: dict(_comments(file)) for file in contracts.file}
    return "\n".join([HEAD, *(line for area in AREAS for line in _table(comments, area))])


def extras() -> str:
    """The page about what a request may hold beyond the typed payload."""
    return "\n".join([EXTRAS_HEAD, *(line for title, table in DIALECTS for line in _keys(title, table))])


def decisions() -> str:
    """The index of decisions, by number."""
    return "\n".join([DECISIONS_HEAD, *(_decision(path) for path in sorted(DECISIONS.parent.glob("[0-9]*.md"))), ""])


def _decision(path: Path) -> str:
    """A line of the index. The title of a decision begins with its number: `# 7. Group commit`."""
    number, title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").split(". ", 1)
    return f"{number}. [{title}]({path.name})"


def _keys(title: str, table: Table) -> Iterator[str]:
    """One dialect's keys: those that go on first, those that are refused next."""
    yield f"## {title}\n"
    yield "| key | what happens | why |"
    yield "|---|---|---|"
    for kind in KeyTreatment:
        for name, rule in sorted(table.rules.items()):
            if rule.kind is kind:
                yield f"| `{name}` | {rule.kind.value}{_exceptions(rule)} | {rule.why} |"
    yield ""


def _exceptions(rule: KeyRule) -> str:
    """What of a value, or which values, are treated otherwise."""
    if rule.inner is not None:
        return ", of it " + ", ".join(f"`{key}`" for key in sorted(rule.inner))
    if rule.types is not None:
        return ", of the types " + ", ".join(f"`{key}`" for key in sorted(rule.types))
    passed = "".join(f"; `{json.dumps(value)}` passed on" for value in rule.harmless)
    return passed + "".join(f"; `{json.dumps(value)}` left out" for value in rule.idle)


def _table(comments: dict[str, dict[str, str]], area: str) -> Iterator[str]:
    """One area's reasons, in the order of their numbers."""
    enum = importlib.import_module(f"llm_mesh.{area}.v1.errors_pb2").ErrorReason.DESCRIPTOR
    yield f"## {area}\n"
    yield "| reason | gRPC | HTTP | meaning | what to do |"
    yield "|---|---|---|---|---|"
    for value in enum.values[1:]:
        rule = value.GetOptions().Extensions[RULE]
        code = errors_pb2.StatusCode.Name(rule.code).removeprefix("STATUS_CODE_")
        meaning = comments[enum.file.name][value.name]
        yield f"| `{value.name.removeprefix('ERROR_REASON_')}` | {code} | {rule.http} | {meaning} | {rule.remedy} |"
    yield ""


def _comments(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[str, str]]:
    """The comments of enum values, by value name. In a descriptor's paths, 5 is a file's enums and 2 an enum's values."""
    for location in file.source_code_info.location:
        if len(location.path) == 4 and location.path[0] == 5 and location.path[2] == 2:  # noqa: PLR2004 - see above
            value = file.enum_type[location.path[1]].value[location.path[3]]
            yield value.name, " ".join(location.leading_comments.split())


if __name__ == "__main__":
    main()
