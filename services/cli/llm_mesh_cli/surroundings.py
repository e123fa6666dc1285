"""What `doctor` finds around the services: certificates that end, clocks that differ, disks that fill."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from llm_mesh_cli.certificates import CertificateError, first_end, served
from llm_mesh_cli.findings import Finding
from llm_mesh_cli.survey import answers, places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_mesh_cli.session import Session

_SOON = timedelta(days=14)
_SKEW = 5.0
"""Seconds. Tokens and seals allow for more; ledger windows and logs do not."""
_SCARCE, _LITTLE = 100 * 1024**2, 1024**3
_FEW_FILES = 10_000
_REMEDY = "renew it, and restart the services that show it one by one"


async def certificates(session: Session) -> list[Finding]:
    """When the certificates end that this machine has, and those that listeners show; also where a listener can no longer be called."""
    now = datetime.now(UTC)
    findings = []
    for what, path in _files(session):
        try:
            end = first_end(await asyncio.to_thread(Path(path).read_bytes))
        except (OSError, CertificateError) as error:
            findings.append(Finding("fail", "certificates", f"{what} {path} cannot be read: {error}", "correct the setting"))
        else:
            findings.append(_ending(f"{what} {path}", end, now))
    if not session.settings.authority and not session.mesh.tls_certificate:
        return findings
    for service, address in await places(session):
        try:
            end = await asyncio.to_thread(served, address)
        except (OSError, CertificateError) as error:
            findings.append(Finding("warn", "certificates", f"{service} at {address} shows none: {error}", "llm-mesh health"))
        else:
            findings.append(_ending(f"that of {service} at {address}", end, now))
    return findings


def _files(session: Session) -> Iterator[tuple[str, str]]:
    mesh = session.mesh
    variables = {
        session.settings.authority: "authority",
        mesh.tls_ca: "authority",
        mesh.tls_certificate: "certificate",
        mesh.http_tls_certificate: "HTTP certificate",
        mesh.http_tls_client_ca: "authority of HTTP clients",
    }
    yield from ((what, path) for path, what in variables.items() if path)


def _ending(what: str, end: datetime, now: datetime) -> Finding:
    if end <= now:
        return Finding("fail", "certificates", f"{what} has expired at {end:%Y-%m-%d %H:%M} UTC", _REMEDY)
    if end - now < _SOON:
        return Finding("warn", "certificates", f"{what} expires in {(end - now).days} days, at {end:%Y-%m-%d %H:%M} UTC", _REMEDY)
    return Finding("ok", "certificates", f"{what} is valid until {end:%Y-%m-%d}")


async def clocks(session: Session) -> list[Finding]:
    """How far the clocks of all services that answer are from this machine's, as health tells them."""
    known = [(f"{answer.service} at {answer.address}", answer.ahead) for answer in await answers(session) if answer.ahead is not None]
    skewed = [(where, ahead) for where, ahead in known if abs(ahead) > _SKEW]
    if not known:
        return [Finding("warn", "clock", "no service told its clock", "llm-mesh health")]
    if not skewed:
        return [Finding("ok", "clock", f"{len(known)} of {len(known)} agree with this machine's within {_SKEW:g} s")]
    return [
        Finding(
            "warn", "clock", f"{where} is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine", "synchronise clocks"
        )
        for where, ahead in skewed
    ]


def disk(folder: Path) -> Iterator[Finding]:
    """How much room there is for the data directory. Disks of other machines are not seen from here."""
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    usage, files = shutil.disk_usage(place), os.statvfs(place)
    free = f"{usage.free / 1024**3:.1f} of {usage.total / 1024**3:.1f} GiB free for {folder}"
    if usage.free < _SCARCE:
        yield Finding("fail", "disk", free, "make room: writes are about to fail with STORE_UNAVAILABLE")
    elif usage.free < _LITTLE:
        yield Finding("warn", "disk", free, "make room before writes fail")
    else:
        yield Finding("ok", "disk", free)
    if files.f_files and files.f_favail < _FEW_FILES:
        yield Finding("warn", "disk", f"{files.f_favail} files more can be made for {folder}", "remove files")
