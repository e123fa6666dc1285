"""An authority of a test, and what it signs."""

from __future__ import annotations

import subprocess
from pathlib import Path

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def authority(folder: Path, name: str) -> Path:
    """The certificate of a new authority; its key lies beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    _openssl(folder, "req", "-x509", *_EC, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    return folder / f"{name}.pem"


def signed(folder: Path, name: str, by: Path, host: str = "localhost") -> Path:
    """A certificate with its key in one file, signed by an authority."""
    _openssl(folder, "req", *_EC, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName=DNS:{host}\n")
    ours = ("-CA", str(by), "-CAkey", str(by.with_suffix(".key")), "-CAcreateserial", "-days", "2", "-extfile", str(extensions))
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", *ours, "-out", f"{name}.crt")
    whole = folder / f"{name}.pem"
    whole.write_text((folder / f"{name}.crt").read_text() + (folder / f"{name}.key").read_text())
    return whole


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
