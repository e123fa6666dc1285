"""A provider is sent to public https addresses only, whatever the spelling."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import nullcontext
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects import anthropic, openai
from llm_mesh_dialects.addresses import PUBLIC, MediaRule, origins_of
from llm_mesh_dialects.allowing import Allowance
from llm_mesh_dialects.anthropic.quirks import NEWEST
from llm_mesh_dialects.errors import MediaAddressError

PRIVATE = [
    IPv4Network(text)
    for text in (
        *("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "0.0.0.0/8"),
        *("224.0.0.0/4", "240.0.0.0/4", "192.0.2.0/24", "198.18.0.0/15"),
    )
]


def spellings(address: IPv4Address) -> list[str]:
    """The ways in which lenient clients read an IPv4 address."""
    number, parts = int(address), address.packed
    a, b, c, d = parts
    v6 = IPv6Address(b"\0" * 10 + b"\xff\xff" + parts)
    return [
        str(address), f"{address}.", str(number), hex(number), f"0{number:o}", f"00{number:o}",
        f"{a}.{b}.{(c << 8) | d}", f"{a}.{(b << 16) | (c << 8) | d}", ".".join(hex(each) for each in parts),
        ".".join(f"0{each:o}" for each in parts), ".".join(f"{each:03d}" for each in parts), f"0x{a:x}.{b}.{c}.{d}", f"{a}.{b}.{c}.0x{d:x}",
        f"[{v6}]", f"[::ffff:{address}]", f"[::{address}]", f"[64:ff9b::{address}]", f"[2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1]",
        f"{address}%2e", f"%31{str(address)[1:]}", f"user@{address}", f"user:word@{address}", f"example.com@{address}",
        str(address).replace(".", "。"), "".join(chr(ord(each) + 0xFEE0) if each.isdigit() else each for each in str(address)),
    ]  # fmt: skip


@given(st.sampled_from(PRIVATE).flatmap(lambda net: st.integers(int(net[0]), int(net[-1]))), st.sampled_from(["", ":443", ":80", ":8080"]))
def test_a_private_address_is_refused_in_every_spelling(number: int, port: str) -> None:
    for host in spellings(IPv4Address(number)):
        assert PUBLIC.objection(f"https://{host}{port}/latest/meta-data"), host


@given(
    st.sampled_from(["::1", "::", "fe80::1", "fe80::1%25eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "::7f00:1"])
)
def test_a_private_ipv6_address_is_refused(address: str) -> None:
    assert PUBLIC.objection(f"https://[{address}]/")
    assert PUBLIC.objection(f"https://{address}/")


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "localhost.", "a.localhost", "localhost.localdomain", "metadata.google.internal",
        "METADATA.google.INTERNAL.",
        "instance-data", "printer.local", "db.corp", "nas.lan", "router.home", "wiki.intranet", "x.home.arpa", "1.0.0.127.in-addr.arpa",
        "kubernetes.default.svc.cluster.local", "kubernetes", "metadata", "example.onion", "", ".", "..", "a..b.com", "-a.com", "a-.com",
        "xn--localhost-.com", "xn--127.com", "a b.com", "a\tb.com", "a\nb.com", "a\\b.com", "exa%6dple.com", "exämple.com", "ⓔxample.com",
        "[::1",
        "::1]", "[v1.x]", "example.com:443:443", "example.com:+443", "example.com:0x1bb", "example.com:99999999", "a" * 64 + ".com",
        ".".join(["a" * 60] * 5) + ".com",
    ],
)  # fmt: skip
def test_a_host_that_is_not_public_is_refused(host: str) -> None:
    assert PUBLIC.objection(f"https://{host}/image.png")


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.com/a.png", "ftp://example.com/a", "file:///etc/passwd", "gs://bucket/a", "https:example.com", "https:/example.com",
        "//example.com/a", "https:///a", "https://", "", "javascript:alert(1)", "https://example.com:8443/a", "https://example.com:22/",
        "https://user@example.com/", "https://example.com/" + "a" * 8192, "https://example.com/a b", "https://example.com\\@10.0.0.1/",
        " https://example.com/", "https://example.com/\x00",
    ],
)  # fmt: skip
def test_other_schemes_ports_and_shapes_are_refused(uri: str) -> None:
    assert PUBLIC.objection(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com/a.png?b=c#d", "HTTPS://EXAMPLE.COM:443/", "https://a.b-c.example.co.uk", "https://example.com./x",
        "https://93.184.215.14/a",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/a", "https://xn--bcher-kva.example.com/",
        "https://my_bucket.s3.amazonaws.com/x?y=10.0.0.1",
        "https://example.com/?u=http://127.0.0.1/",
        "https://example.com?@127.0.0.1/", "https://example.com#@127.0.0.1/", "data:image/png;base64,AA==",
    ],
)  # fmt: skip
def test_public_addresses_go_on(uri: str) -> None:
    assert PUBLIC.objection(uri) == ""


def test_an_operator_adds_origins_and_nothing_beside_them() -> None:
    rule = MediaRule(origins_of(["http://10.1.2.3:8080", "HTTPS://Assets.corp:443/"]))
    assert not rule.objection("http://10.1.2.3:8080/a.png")
    assert not rule.objection("https://assets.corp/a.png")
    for uri in (
        "http://10.1.2.3/a",
        "https://10.1.2.3:8080/a",
        "http://10.1.2.30:8080/a",
        "http://10.1.2.3:8080@10.0.0.1/",
        "https://b.assets.corp/",
    ):
        assert rule.objection(uri), uri
    assert not MediaRule(origins_of(["*"])).objection("http://127.0.0.1/")
    for wrong in ("10.1.2.3", "http://", "http://a/path", "http://u@a"):
        with pytest.raises(ValueError, match="expected origins"):
            origins_of([wrong])


def payloads(uri: str) -> list[generate_pb2.GenerateInput]:
    """The address in every place of a payload that a dialect writes."""
    medium = content_pb2.Media(uri=uri)
    parts = [content_pb2.Part(image=medium), content_pb2.Part(file=medium), content_pb2.Part(audio=medium)]
    results = [content_pb2.Part(tool_result=content_pb2.ToolResult(tool_call_id="c", parts=[part])) for part in parts]
    image = content_pb2.Media(uri=uri, mime_type="image/png")
    text = content_pb2.Part(text=content_pb2.Text(text="beside"))
    inside = (
        b'{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"%s"}}]}}' % uri.encode()
    )
    opaque = content_pb2.Part(opaque=content_pb2.OpaquePart(dialect="anthropic", type="document", json=inside))
    roles = (content_pb2.ROLE_USER, content_pb2.ROLE_ASSISTANT, content_pb2.ROLE_TOOL, content_pb2.ROLE_SYSTEM)
    return [
        generate_pb2.GenerateInput(model="m", messages=[content_pb2.Message(role=role, parts=[part, text])])
        for role, part in itertools.product(roles, [*parts, *results, content_pb2.Part(file=image), opaque])
    ]


@pytest.mark.parametrize("uri", ["https://169.254.169.254/latest", "http://example.com/a.png"])
def test_no_place_of_a_payload_lets_an_address_through(uri: str) -> None:
    refused = 0
    writers: tuple[Callable[[generate_pb2.GenerateInput], object], ...] = (
        lambda given: openai.requests.input_to_chat(given, openai.OpenAIQuirks(), model="m", stream=False)[0],
        lambda given: anthropic.requests.input_to_messages(given, NEWEST, model="m", stream=False)[0],
        lambda given: anthropic.requests.input_to_count(given, NEWEST, model="m"),
    )
    for payload, write in itertools.product(payloads(uri), writers):
        try:
            assert uri not in repr(write(payload))
        except MediaAddressError as error:
            refused += 1
            assert error.field.startswith("messages[0].parts[0].")  # noqa: PT017 (raised for some of the places)
    assert refused > len(payloads(uri))


@pytest.mark.parametrize("named", ['{"url":"%s"}', '"%s"'])
@pytest.mark.parametrize("kind", ["image_url", "video_url", "audio_url", "document_url"])
def test_kinds_of_parts_that_the_operator_allows_keep_to_the_addresses(kind: str, named: str) -> None:
    allowance = Allowance(frozenset({f"part_type.{kind}"}))
    for uri, refused in (("http://169.254.169.254/latest", True), ("https://example.com/a.mp4", False)):
        inside = f'{{"type":"{kind}","{kind}":{named % uri}}}'
        opaque = content_pb2.Part(opaque=content_pb2.OpaquePart(dialect="openai", type=kind, json=inside.encode()))
        given = generate_pb2.GenerateInput(model="m", messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[opaque])])
        with pytest.raises(MediaAddressError) if refused else nullcontext():
            openai.requests.input_to_chat(given, openai.OpenAIQuirks(), model="m", stream=False, allowance=allowance)


def test_the_operators_origins_go_on_in_either_dialect() -> None:
    uri = "http://10.1.2.3:8080/a.png"
    allowed = Allowance(media=MediaRule(origins_of(["http://10.1.2.3:8080"])))
    part = content_pb2.Part(image=content_pb2.Media(uri=uri))
    given = generate_pb2.GenerateInput(model="m", messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])])
    assert uri in repr(openai.requests.input_to_chat(given, openai.OpenAIQuirks(), model="m", stream=False, allowance=allowed))
    assert uri in repr(anthropic.requests.input_to_messages(given, NEWEST, model="m", stream=False, allowance=allowed))
