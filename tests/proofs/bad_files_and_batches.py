"""Bad requests for files and batches: method, path, body and headers; and the status, code and field that they are told."""

from __future__ import annotations

from typing import Any

GUESSED = "a" * 42
FORM = {"content-type": "multipart/form-data; boundary=b"}
BATCH = {"input_file_id": f"file-{GUESSED}", "endpoint": "/v1/chat/completions", "completion_window": "24h"}
NESTED = b'{"requests":' + b"[" * 100_000
FILES_AND_BATCHES: dict[str, tuple[str, str, Any, dict[str, str], int, str, str | None]] = {
    "a guessed file": ("GET", f"/v1/files/file-{GUESSED}", b"", {}, 404, "file_not_found", "file"),
    "a path for a file": ("GET", "/v1/files/../../etc/passwd", b"", {}, 404, "file_not_found", "file"),
    "an endless id": ("GET", "/v1/files/" + "a" * 4000, b"", {}, 404, "file_not_found", "file"),
    "the content of a guessed file": ("GET", f"/v1/files/file-{GUESSED}/content", b"", {}, 404, "file_not_found", "file"),
    "a guessed file to delete": ("DELETE", f"/v1/files/file-{GUESSED}", b"", {}, 404, "file_not_found", "file"),
    "a form that is none": ("POST", "/v1/files", b"--b\r\n\xff\x00", FORM, 400, "invalid_form", None),
    "a body that is no form": ("POST", "/v1/files", b"{}", {}, 400, "invalid_form", "content-type"),
    "a limit that is no number": ("GET", "/v1/files?limit=many", b"", {}, 400, "invalid_field", "limit"),
    "an order that is none": ("GET", "/v1/files?order=sideways", b"", {}, 400, "invalid_field", "order"),
    "behind a guessed file": ("GET", f"/v1/files?after=file-{GUESSED}", b"", {}, 404, "file_not_found", "after"),
    "an endless query": ("GET", "/v1/files?" + "a=b&" * 200, b"", {}, 400, "invalid_field", "query"),
    "a batch of a guessed file": ("POST", "/v1/batches", BATCH, {}, 404, "file_not_found", "input_file_id"),
    "a batch of nowhere": ("POST", "/v1/batches", BATCH | {"endpoint": "/v1/videos"}, {}, 400, "invalid_field", "endpoint"),
    "another window": ("POST", "/v1/batches", BATCH | {"completion_window": "1h"}, {}, 400, "invalid_field", "completion_window"),
    "numbers as metadata": ("POST", "/v1/batches", BATCH | {"metadata": {"a": 1}}, {}, 400, "invalid_field", "metadata"),
    "a file that is no text": ("POST", "/v1/batches", BATCH | {"input_file_id": 7}, {}, 400, "invalid_field", "input_file_id"),
    "a guessed batch": ("GET", f"/v1/batches/batch_{GUESSED}", b"", {}, 404, "batch_not_found", "batch"),
    "a guessed batch to cancel": ("POST", f"/v1/batches/batch_{GUESSED}/cancel", b"", {}, 404, "batch_not_found", "batch"),
    "no requests": ("POST", "/v1/messages/batches", {"requests": []}, {}, 400, "invalid_field", "requests"),
    "requests without end": ("POST", "/v1/messages/batches", NESTED, {}, 400, "invalid_json", None),
    "a request that is none": ("POST", "/v1/messages/batches", {"requests": [7]}, {}, 400, "invalid_field", "requests[0]"),
    "guessed results": ("GET", f"/v1/messages/batches/msgbatch_{GUESSED}/results", b"", {}, 404, "batch_not_found", "batch"),
}
