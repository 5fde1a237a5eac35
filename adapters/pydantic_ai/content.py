"""What users say and tools return: texts and files of Pydantic AI, and parts of items."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_ai.messages import (
    AudioUrl,
    BaseToolReturnPart,
    BinaryContent,
    DocumentUrl,
    FileUrl,
    ImageUrl,
    TextContent,
    UploadedFile,
    VideoUrl,
)

from memwrap.adapters.projection import named
from memwrap.items import Item

__all__ = ["content_to_parts", "output_to_result", "parts_to_content", "result_to_output"]

_OPENAI = "openai"

# Audio that parts of items have a place for.
_AUDIO = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3"}

_FILES = {
    "input_image": ("image_url",),
    "input_file": ("file_data", "file_url"),
    "input_audio": ("input_audio",),
}
"""The parts that become files, and where their data may be; others are named in text."""


# Pydantic AI to items


def content_to_parts(content: str | Sequence[Any]) -> Any:
    """Return what a user says as the content of an item: a text as it is, or parts."""
    if isinstance(content, str):
        return content
    return [part for one in content if (part := _part(one)) is not None]


def result_to_output(part: BaseToolReturnPart[Any]) -> Any:
    """Return what a tool returned as the output of an item: the text that the model is shown.

    Files make it a list of parts.
    """
    if not part.files:
        return part.model_response_str(wrap_if_error=False)
    contents = part.content_items(mode="str", wrap_if_error=False)
    return [shown for one in contents if (shown := _part(one)) is not None]


def _part(content: Any) -> Item | None:
    """Return a text or file as a part; None for what says nothing, such as a cache point."""
    if isinstance(content, (str, TextContent)):
        text = content if isinstance(content, str) else content.content
        return {"type": "input_text", "text": text}
    if isinstance(content, BinaryContent):
        return _binary_part(content)
    if isinstance(content, FileUrl):
        return _linked_part(content)
    if not isinstance(content, UploadedFile):
        return None
    if content.provider_name == _OPENAI:
        return {"type": "input_file", "file_id": content.file_id}
    return {"type": "input_text", "text": "[file]"}  # the id says nothing to other providers


def _linked_part(content: FileUrl) -> Item:
    if isinstance(content, ImageUrl):
        detail = _detail(content.vendor_metadata)
        return {"type": "input_image", "image_url": content.url} | detail
    return {"type": "input_file", "file_url": content.url}


def _binary_part(content: BinaryContent) -> Item:
    if content.is_image:
        detail = _detail(content.vendor_metadata)
        return {"type": "input_image", "image_url": content.data_uri} | detail
    if content.media_type in _AUDIO:
        audio = {"data": content.base64, "format": _AUDIO[content.media_type]}
        return {"type": "input_audio", "input_audio": audio}
    ending = mimetypes.guess_extension(content.media_type) or ""
    return {"type": "input_file", "filename": f"file{ending}", "file_data": content.data_uri}


def _detail(metadata: Mapping[str, Any] | None) -> Item:
    detail = (metadata or {}).get("detail")
    return {"detail": detail} if isinstance(detail, str) else {}


# Items to Pydantic AI


def parts_to_content(content: Any) -> Any:
    """Return the content of an item as what a user says: a text as it is, or texts and files."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else ""
    return list(_contents(content))


def output_to_result(output: Any) -> Any:
    """Return the output of an item as what a tool returned; parts without a file are one text."""
    if not isinstance(output, list):
        return output if isinstance(output, str) else ""
    contents = list(_contents(output))
    if all(isinstance(one, str) for one in contents):
        return "".join(contents)
    return contents


def _contents(parts: Iterable[Any]) -> Iterable[Any]:
    for part in parts:
        content = _content(named(part, _FILES)) if isinstance(part, dict) else None
        if content is not None:
            yield content


def _content(part: Item) -> Any:
    """Return a part as a text or a file; None for a part that says nothing."""
    text = part.get("text") or part.get("refusal")
    if isinstance(text, str):
        return text
    detail = part.get("detail")
    options: dict[str, Any] = {}
    if isinstance(detail, str):
        options["vendor_metadata"] = {"detail": detail}
    kind = part.get("type")
    if kind == "input_audio":
        return _audio(part["input_audio"])
    source = part.get("image_url" if kind == "input_image" else "file_data")
    if source is None and isinstance(part.get("file_url"), str):
        return _linked(part["file_url"])
    if not isinstance(source, str):
        return None
    if kind == "input_image" and not source.startswith("data:"):
        return ImageUrl(source, **options)
    return _inline(source, part.get("filename"), options)


def _linked(url: str) -> FileUrl:
    """Return a file that lies elsewhere, by the kind that its name tells."""
    family = (mimetypes.guess_type(url)[0] or "").partition("/")[0]
    kinds: dict[str, type[FileUrl]] = {"image": ImageUrl, "audio": AudioUrl, "video": VideoUrl}
    return kinds.get(family, DocumentUrl)(url)


def _inline(source: str, filename: Any, options: Mapping[str, Any]) -> Any:
    """Return a file whose data stands in the item; a text that names it if nobody can read it."""
    head, found, data = source.rpartition(";base64,")
    guessed = mimetypes.guess_type(filename)[0] if isinstance(filename, str) else None
    media_type = head.removeprefix("data:") if found else guessed or "application/octet-stream"
    return _binary(data, media_type, options)


def _audio(audio: Any) -> Any:
    fields = audio if isinstance(audio, dict) else {}
    kinds = {word: media_type for media_type, word in reversed(_AUDIO.items())}
    word = fields.get("format")
    media_type = kinds.get(word, f"audio/{word}") if isinstance(word, str) else "audio/wav"
    return _binary(fields.get("data"), media_type, {})


def _binary(data: Any, media_type: str, options: Mapping[str, Any]) -> Any:
    try:
        content = BinaryContent(
            data=base64.b64decode(data, validate=True), media_type=media_type, **options
        )
    except (TypeError, binascii.Error):
        return f"[{media_type.partition('/')[0]}]"
    return BinaryContent.narrow_type(content)
