"""When certificates end: of files in PEM, and of what a listener shows, without judging who it is."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

_TIMEOUT = 5.0
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_SEQUENCE, _UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x30, 0x17, 0x18, 0xA0
_LONG_FORM = 0x80


class CertificateError(Exception):
    """There is no certificate, or it cannot be understood."""


def first_end(pem: bytes) -> datetime:
    """When the first of the certificates of a file ends, of a chain or a bundle of authorities."""
    ends = [_end_of(ssl.PEM_cert_to_DER_cert(text)) for text in _texts(pem.decode("ascii", "replace"))]
    if not ends:
        raise CertificateError("there is no certificate in it")
    return min(ends)


def served(address: str) -> datetime:
    """When the certificate ends that a listener shows. It is not checked: an expired one must be seen, too."""
    host, _, port = address.removeprefix("dns:///").rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT) as connection,
        context.wrap_socket(connection, server_hostname=host.strip("[]")) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    if not shown:
        raise CertificateError("it shows none")
    return _end_of(shown)


def _texts(text: str) -> Iterator[str]:
    for piece in text.split(_BEGIN)[1:]:
        body, end, _ = piece.partition(_END)
        if not end:
            raise CertificateError("a certificate in it is cut off")
        yield f"{_BEGIN}{body}{end}"


def _end_of(der: bytes) -> datetime:
    """`notAfter` of `tbsCertificate.validity` (RFC 5280, 4.1): version, serial number, algorithm and issuer come before it."""
    try:
        (_, certificate, _) = _element(der, _SEQUENCE)
        (_, fields, _) = _element(certificate, _SEQUENCE)
        kind, _, rest = _element(fields)
        for _ in range(3 if kind == _VERSION else 2):
            _, _, rest = _element(rest)
        _, validity, _ = _element(rest, _SEQUENCE)
        _, _, after = _element(validity)
        return _time(after)
    except (IndexError, ValueError) as error:
        raise CertificateError("it is no certificate") from error


def _element(der: bytes, expected: int = 0) -> tuple[int, bytes, bytes]:
    """The tag of the first element of DER, its content, and what follows it."""
    tag, length, begin = der[0], der[1], 2
    if expected and tag != expected:
        raise ValueError("another tag")
    if length >= _LONG_FORM:
        begin += length - _LONG_FORM
        length = int.from_bytes(der[2:begin])
    if begin + length > len(der):
        raise ValueError("cut off")
    return tag, der[begin : begin + length], der[begin + length :]


def _time(der: bytes) -> datetime:
    kind, content, _ = _element(der)
    text = content.decode("ascii")
    if kind == _UTC_TIME:  # years 1950 to 2049
        century = "19" if text >= "50" else "20"
        return datetime.strptime(f"{century}{text}", "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    if kind == _GENERALIZED_TIME:
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    raise ValueError("no time")
