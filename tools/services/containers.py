"""The services in docker-compose.yml: one container for each, one for the migration of each database, and their secrets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.services.declaration import Declared, called, matches

_PUBLIC_OFFSET = 100
_FILES = "/run/secrets/"
PROFILE = "longtail"
"""With `--profile longtail` compose starts the optional services, too."""


def containers(known: Sequence[Declared]) -> Iterator[str]:
    """All services, as the file shows them: who is asked by strangers first."""
    for each in reversed(known):
        yield from _container(each, known)
        yield ""


def migrations(known: Sequence[Declared]) -> Iterator[str]:
    """A container that brings each database to this build's schema, and ends."""
    for each in known:
        if each.database:
            yield f"  {each.dashed}-migration:"
            yield "    <<: *migration"
            yield f"    image: llm-mesh/{each.dashed}:${{LLM_MESH_VERSION:-local}}"
            yield f"    build: *{each.dashed}"
            yield f"    environment: {{ {_database_setting(each)}_FILE: {_FILES}{database_secret(each)} }}"
            yield f"    secrets: [{database_secret(each)}]"
            yield ""


def database_secret(each: Declared) -> str:
    """The secret with the address and the password of a service's database."""
    return f"{each.dashed.replace('-', '_')}_database_url"


def _container(each: Declared, known: Sequence[Declared]) -> Iterator[str]:
    yield f"  {each.dashed}:"
    yield "    <<: *service"
    if each.optional:
        yield f"    profiles: [{PROFILE}]"
    yield f"    image: llm-mesh/{each.dashed}:${{LLM_MESH_VERSION:-local}}"
    anchor = f"&{each.dashed} " if each.database else ""
    yield f"    build: {anchor}{{ context: ., dockerfile: services/Dockerfile, args: {{ SERVICE: {each.folder} }} }}"
    yield "    environment:"
    yield from (f"      {line}" for line in _environment(each, known))
    secrets = [
        *(["mesh_secret"] if each.in_mesh else []),
        *([database_secret(each)] if each.database else []),
        *each.container.secrets.values(),
    ]
    if secrets:
        yield f"    secrets: [{', '.join(secrets)}]"
    if each.container.health:
        probe = f'"http://127.0.0.1:{each.port}{each.container.health}"'
        yield f"    healthcheck: {{ test: [CMD, python, -m, llm_mesh_runtime.health_probe, {probe}] }}"
    published = each.port + (_PUBLIC_OFFSET if each.container.publish == "public" else 0)
    if each.container.publish:
        yield f'    ports: ["127.0.0.1:{published}:{published}"]'
    networks = [*(["front"] if each.container.publish else []), *each.container.networks]
    yield f"    networks: [{', '.join(['mesh', *networks])}]"
    if each.database:
        yield f"    depends_on: {{ {each.dashed}-migration: {{ condition: service_completed_successfully }} }}"
    elif not each.contracts and each.calls:
        yield f"    depends_on: {{ {each.calls[0]}: {{ condition: service_started }} }}"


def _environment(each: Declared, known: Sequence[Declared]) -> Iterator[str]:
    if each.in_mesh:
        yield "<<: *common"
    for name, value in each.container.environment.items():
        yield f"{name}: {_quoted(value)}"
    if each.database:
        yield f"{_database_setting(each)}_FILE: {_FILES}{database_secret(each)}"
    for name, secret in each.container.secrets.items():
        yield f"{name}_FILE: {_FILES}{secret}"
    for peer in sorted(_peers(each, known), key=lambda peer: peer.port):
        address = f"mux+dns:///{peer.dashed}:{peer.port}"
        # Whoever starts an optional service says where it is: LLM_MESH_LINK_… in .env. Empty, there is no link.
        yield f"LLM_MESH_LINK_{_upper(peer)}: " + (f"${{LLM_MESH_LINK_{_upper(peer)}:-}}" if peer.optional else address)


def _peers(each: Declared, known: Sequence[Declared]) -> list[Declared]:
    """Whom it calls or passes calls on to."""
    relayed = [
        other for other in known if other.contracts and other is not each and any(matches(pattern, other.name) for pattern in each.relays)
    ]
    return list({other.name: other for other in (*called(each, known), *relayed)}.values())


def _quoted(value: str) -> str:
    """As YAML has it: what could be read as something else than a text is quoted."""
    if value.startswith("{"):
        return f"'{value}'"
    return f'"{value}"' if value in {"true", "false", "-"} else value


def _database_setting(each: Declared) -> str:
    return f"LLM_MESH_{_upper(each)}_DATABASE_URL"


def _upper(each: Declared) -> str:
    return each.dashed.upper().replace("-", "_")
