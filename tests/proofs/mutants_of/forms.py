"""The guards of forms: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

_TEST = "tests/edge/test_edge_forms.py"
_READER, _PARTS = "edge/llm_mesh_edge/http/form_reader.py", "edge/llm_mesh_edge/http/form_parts.py"

FORMS: Mapping[str, Mutant] = {
    "forms/many-parts": Mutant(file=_READER, guard="if self._parts > MOST_PARTS:", instead="if False:", test=_TEST),
    "forms/large-texts": Mutant(file=_READER, guard="if self._text > MOST_TEXT:", instead="if False:", test=_TEST),
    "forms/last-boundary": Mutant(file=_READER, guard="if not self._complete:", instead="if False:", test=_TEST),
    "forms/headers-twice": Mutant(file=_READER, guard="if name in self._headers:", instead="if False:", test=_TEST),
    "forms/headers-bounded": Mutant(
        file=_READER,
        guard="max_header_count=MOST_HEADERS, max_header_size=LONGEST_HEADER",
        instead="max_header_count=10**9, max_header_size=10**9",
        test=_TEST,
    ),
    "forms/files-where-they-belong": Mutant(file=_READER, guard="if is_file != expected:", instead="if False:", test=_TEST),
    "forms/no-form-within": Mutant(file=_PARTS, guard='if media_type.startswith("multipart/"):', instead="if False:", test=_TEST),
    "forms/names-of-files": Mutant(file=_PARTS, guard="if not _FILENAME.fullmatch(filename):", instead="if False:", test=_TEST),
    "forms/bytes-under-way": Mutant(
        file="edge/llm_mesh_edge/http/bodies.py",
        guard="            upload.take(len(piece))\n            form.write(piece)\n",
        instead="            form.write(piece)\n",
        test="tests/edge/test_edge_bodies.py::test_forms_that_do_not_end_leave_room_for_others_too",
    ),
    "forms/what-is-left-is-taken": Mutant(
        file="edge/llm_mesh_edge/http/exchange.py",
        guard="        except UnreadBodyError:\n",
        instead="        except _TooLargeError:\n",
        test="tests/edge/test_edge_bodies.py::test_what_is_left_of_a_broken_form_is_taken",
    ),
    "forms/images-are-in-the-request": Mutant(
        file="gateway/llm_mesh_gateway/domain/method_checks.py",
        guard="    if not image.data:\n",
        instead="    if False:\n",
        test="tests/gateway/test_gateway_media.py",
    ),
    "forms/images-that-are-read-are-counted": Mutant(
        file="gateway/llm_mesh_gateway/domain/method_profiles.py",
        guard='    profile.images = len(request.images) + request.HasField("mask")\n',
        instead="",
        test="tests/gateway/test_gateway_media.py",
    ),
    "forms/images-are-screened": Mutant(
        file="policy/llm_mesh_policy/admission/domain/method_texts.py",
        guard='        yield from _media(image, f"images[{number}]", "image")\n',
        instead="        yield from ()\n",
        test="tests/policy/test_admission_inputs.py",
    ),
}
