"""Bodies of several fields, of which one may be a file: `multipart/form-data`."""

import re

_NAME = re.compile(rb'name="([^"]*)"')
_LIST = "[]"


def parsed_form(raw: bytes) -> dict[str, object]:
    """The fields: texts, lists of texts, and bytes of a file."""
    boundary = raw[: raw.find(b"\r\n")]
    fields: dict[str, object] = {}
    for part in raw.split(boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        match = _NAME.search(head)
        if match is None:
            continue
        name = match.group(1).decode()
        value: object = content if b"filename=" in head else content.decode("utf-8", "replace")
        if name.endswith(_LIST):
            listed = fields.setdefault(name.removesuffix(_LIST), [])
            if isinstance(listed, list):
                listed.append(value)
        else:
            fields[name] = value
    return fields
