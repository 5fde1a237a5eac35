"""Blocks of text and media, and the parts of items like them. Strands takes bytes only."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from typing import Any

from memwrap.adapters.media import data_in, url_of
from memwrap.adapters.projection import named
from memwrap.items import Item

__all__ = ["Block", "block_of", "part_of"]

Block = dict[str, Any]

_IMAGES = ("png", "jpeg", "gif", "webp")
_DOCUMENTS = {
    "pdf": "application/pdf",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
    "txt": "text/plain",
    "md": "text/markdown",
}
_FORMATS = {media_type: name for name, media_type in _DOCUMENTS.items()}
_SOUNDS = ("mp3", "wav")


def part_of(block: Mapping[str, Any]) -> Item | None:
    """Return a block as a part of an item's content; None if there is no part like it."""
    if isinstance(text := block.get("text"), str):
        return {"type": "input_text", "text": text}
    if "json" in block:
        return {"type": "input_text", "text": json.dumps(block["json"], ensure_ascii=False)}
    if isinstance(guarded := block.get("guardContent"), dict):
        text = guarded.get("text", {}).get("text")
        return {"type": "input_text", "text": text} if isinstance(text, str) else None
    for kind, make in (("image", _image), ("document", _document), ("audio", _sound)):
        if isinstance(media := block.get(kind), dict):
            data = media.get("source", {}).get("bytes")
            return make(media, data) if isinstance(data, bytes) else None
    return None


def _image(media: Mapping[str, Any], data: bytes) -> Item:
    url = url_of(f"image/{media.get('format')}", data)
    return {"type": "input_image", "image_url": url, "detail": "auto"}


def _document(media: Mapping[str, Any], data: bytes) -> Item:
    name = media.get("name")
    kind = _DOCUMENTS.get(str(media.get("format")), "application/octet-stream")
    told = {"filename": name} if isinstance(name, str) else {}
    return {"type": "input_file"} | told | {"file_data": url_of(kind, data)}


def _sound(media: Mapping[str, Any], data: bytes) -> Item | None:
    if media.get("format") not in _SOUNDS:
        return None
    text = url_of("", data).partition(",")[2]
    return {"type": "input_audio", "input_audio": {"data": text, "format": media["format"]}}


def block_of(part: Item) -> Block:
    """Return a part as a block; media that are not in it are named in text."""
    if isinstance(part.get("text"), str):
        return {"text": part["text"]}
    if part.get("type") == "refusal" and isinstance(part.get("refusal"), str):
        return {"text": part["refusal"]}
    made = _media(part)
    return {"text": named(part, {})["text"]} if made is None else made


def _media(part: Item) -> Block | None:
    made = _image_block(part.get("image_url")) or _document_block(part)
    audio = part.get("input_audio")
    return _sound_block(audio) if made is None and isinstance(audio, dict) else made


def _image_block(url: Any) -> Block | None:
    found = data_in(url)
    kind = "" if found is None else found.kind.removeprefix("image/").replace("jpg", "jpeg")
    if found is None or kind not in _IMAGES:
        return None
    return {"image": {"format": kind, "source": {"bytes": found.data}}}


def _document_block(part: Item) -> Block | None:
    found = data_in(part.get("file_data"))
    name = part["filename"] if isinstance(part.get("filename"), str) else "document"
    kinds = ("" if found is None else found.kind, mimetypes.guess_type(name)[0] or "")
    kind = next((_FORMATS[one] for one in kinds if one in _FORMATS), None)
    if found is None or kind is None:
        return None
    return {"document": {"format": kind, "name": name, "source": {"bytes": found.data}}}


def _sound_block(audio: Mapping[str, Any]) -> Block | None:
    found = data_in(f"data:audio;base64,{audio.get('data')}")
    if found is None or audio.get("format") not in _SOUNDS:
        return None
    return {"audio": {"format": audio["format"], "source": {"bytes": found.data}}}
