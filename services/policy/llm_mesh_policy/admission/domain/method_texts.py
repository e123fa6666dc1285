"""What screening reads of inputs that are no conversation: everything that a provider could read."""

from collections.abc import Iterator

from llm_mesh.inference.v1 import assess_pb2, content_pb2, generate_image_pb2, moderate_pb2, rerank_pb2, sound_pb2
from llm_mesh_policy.admission.domain.texts import of_attribute, of_extras, of_message, of_parts, of_repeated
from llm_mesh_policy.screening.ports import Flow, Slot, TextForm


def of_rerank(message: rerank_pb2.RerankInput) -> Iterator[Slot]:
    """What a reranking holds."""
    yield from of_attribute(message, "query", "")
    for number, document in enumerate(message.documents[:]):
        yield from of_attribute(document, "text", f"documents[{number}]")
    yield from of_attribute(message, "end_user", "", flow=Flow.ATTRIBUTES)
    yield from of_extras(message.extras, "")


def of_moderate(message: moderate_pb2.ModerateInput) -> Iterator[Slot]:
    """What a moderation holds."""
    for number, item in enumerate(message.items[:]):
        yield from of_parts(item.parts, f"items[{number}].parts")
    yield from of_attribute(message, "end_user", "", flow=Flow.ATTRIBUTES)
    yield from of_extras(message.extras, "")


def of_assess(message: assess_pb2.AssessInput) -> Iterator[Slot]:
    """What an assessment holds: the state, and the questions with all that they name."""
    for number, each in enumerate(message.state[:]):
        yield from of_message(each, f"state[{number}]")
    for number, question in enumerate(message.questions[:]):
        yield from _question(question, f"questions[{number}]")
    for name in ("prompt_cache_key", "end_user"):
        yield from of_attribute(message, name, "", flow=Flow.ATTRIBUTES)
    yield from of_extras(message.extras, "")


def of_generate_image(message: generate_image_pb2.GenerateImageInput) -> Iterator[Slot]:
    """What a making of images holds."""
    yield from of_attribute(message, "prompt", "")
    for name in ("size", "quality", "mime_type", "background", "style", "end_user"):
        yield from of_attribute(message, name, "", flow=Flow.ATTRIBUTES)
    for number, image in enumerate(message.images[:]):
        yield from _media(image, f"images[{number}]", "image")
    if message.HasField("mask"):
        yield from _media(message.mask, "mask", "image")
    yield from of_extras(message.extras, "")


def of_speak(message: sound_pb2.SpeakInput) -> Iterator[Slot]:
    """What a text to speak holds."""
    for name in ("text", "instructions"):
        yield from of_attribute(message, name, "")
    for name in ("voice", "format", "end_user"):
        yield from of_attribute(message, name, "", flow=Flow.ATTRIBUTES)
    yield from of_extras(message.extras, "")


def of_transcribe(message: sound_pb2.TranscribeInput) -> Iterator[Slot]:
    """What a sound to write down comes with. The sound itself cannot be read here; where that must not pass, it is taken out."""
    yield from _media(message.sound, "sound", "audio")
    yield from of_attribute(message, "prompt", "")
    for name in ("keywords", "languages"):
        yield from of_repeated(getattr(message, name), name)
    yield from of_attribute(message, "end_user", "", flow=Flow.ATTRIBUTES)
    yield from of_extras(message.extras, "")


def _media(media: content_pb2.Media, place: str, kind: str) -> Iterator[Slot]:
    for name in ("filename", "transcript"):
        yield from of_attribute(media, name, place)
    for name in ("mime_type", "detail"):
        yield from of_attribute(media, name, place, flow=Flow.ATTRIBUTES)
    yield Slot(place, kind, lambda _: media.ClearField("source"), TextForm.OPAQUE)


def _question(question: assess_pb2.AssessQuestion, place: str) -> Iterator[Slot]:
    yield from of_attribute(question, "name", place, form=TextForm.NAME, flow=Flow.IDENTIFIERS)
    yield from of_parts(question.instructions, f"{place}.instructions")
    kind = question.WhichOneof("kind")
    if kind == "predicate":
        for name in ("true_description", "false_description"):
            yield from of_attribute(question.predicate, name, f"{place}.predicate")
    elif kind == "choice":
        for number, option in enumerate(question.choice.options[:]):
            here = f"{place}.choice.options[{number}]"
            if option.WhichOneof("value") == "text":
                yield from of_attribute(option, "text", here)
            yield from of_attribute(option, "description", here)
    elif kind == "score":
        for number, level in enumerate(question.score.levels[:]):
            for name in ("label", "description"):
                yield from of_attribute(level, name, f"{place}.score.levels[{number}]")
