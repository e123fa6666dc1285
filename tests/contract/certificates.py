"""Certificates for tests: one authority, one certificate per service, whose name is the service's name in the mesh."""

import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from llm_mesh_runtime.links.tls import certificate_name


def authority(folder: Path) -> Callable[[str], Mapping[str, str]]:
    """Makes an authority; what it returns makes certificates by service name."""
    _openssl(folder, "req", "-x509", *_NEW_KEY, "-days", "2", "-subj", "/CN=llm-mesh tests", "-keyout", "ca.key", "-out", "ca.pem")

    @cache
    def issued(service: str) -> Mapping[str, str]:
        name = service.replace("/", "-")
        extensions = folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName=DNS:{certificate_name(service)}\n", encoding="utf-8")
        _openssl(folder, "req", *_NEW_KEY, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", str(extensions))
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem")
        return {
            "tls_certificate": str(folder / f"{name}.pem"),
            "tls_key": str(folder / f"{name}.key"),
            "tls_ca": str(folder / "ca.pem"),
        }

    return issued


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
