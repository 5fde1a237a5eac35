"""Parts of Gemini's contents as parts of items, and back: text and media."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from google.genai import types

from memwrap.adapters.media import data_in, url_of
from memwrap.adapters.projection import named
from memwrap.items import Item

__all__ = ["item_part", "part_of", "parts_of", "response_item_part", "response_parts"]

_SOUNDS = {"audio/wav": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3"}
_PICTURE, _FILE = "image/jpeg", "application/octet-stream"

# Where files lie that only Google's models can read.
_HOSTS = ("googleapis.com", "youtube.com", "youtu.be")


# Gemini's parts to parts of items


def item_part(part: types.Part, *, is_spoken: bool) -> Item | None:
    """Return what a part shows in a message; None if that is nothing.

    Args:
        part: The part.
        is_spoken: Whether the model speaks.
    """
    if part.text and not part.thought:
        return _text(part.text, is_spoken=is_spoken)
    found = _media(part.inline_data, part.file_data)
    if found is not None and isinstance(found.get("text"), str):
        return _text(found["text"], is_spoken=is_spoken)
    return found


def response_item_part(part: types.FunctionResponsePart) -> Item | None:
    """Return what a part of a tool's response shows; None if that is nothing."""
    return _media(part.inline_data, part.file_data)


def _text(text: str, *, is_spoken: bool) -> Item:
    if is_spoken:
        return {"type": "output_text", "text": text, "annotations": []}
    return {"type": "input_text", "text": text}


def _media(blob: Any, file: Any) -> Item | None:
    if blob is not None and blob.data and blob.mime_type:
        sound = _SOUNDS.get(blob.mime_type)
        url = url_of(blob.mime_type, blob.data)
        if sound is not None:
            data = url.partition(",")[2]
            return {"type": "input_audio", "input_audio": {"data": data, "format": sound}}
        return _shown(blob.mime_type, url, "file_data", blob.display_name)
    if file is not None and file.file_uri:
        kind = file.mime_type or ""
        if _is_readable(file.file_uri):
            return _shown(kind, file.file_uri, "file_url", file.display_name)
        word = "image" if kind.startswith("image/") else "file"
        return {"type": "input_text", "text": f"[{word}: {file.file_uri}]"}
    return None


def _shown(kind: str, url: str, key: str, name: str | None) -> Item:
    if kind.startswith("image/"):
        return {"type": "input_image", "image_url": url, "detail": "auto"}
    return {"type": "input_file"} | ({"filename": name} if name else {}) | {key: url}


def _is_readable(uri: str) -> bool:
    """Tell whether a file can be read by models of any provider."""
    try:
        found = urlsplit(uri)
        host = found.hostname or ""
    except ValueError:
        return False
    is_web = found.scheme in ("http", "https") and bool(host)
    return is_web and not any(host == one or host.endswith(f".{one}") for one in _HOSTS)


# Parts of items to Gemini's parts


def parts_of(content: Any) -> list[types.Part]:
    """Return the parts of an item's content that say something."""
    if isinstance(content, str):
        content = [{"type": "input_text", "text": content}]
    given = content if isinstance(content, list) else []
    parts = (part_of(part) for part in given if isinstance(part, dict))
    return [part for part in parts if part is not None]


def part_of(part: Item) -> types.Part | None:
    """Return the part that says what an item's part says; None if that is blank."""
    text = part.get("text", part.get("refusal"))
    if not isinstance(text, str):
        media = _data_of(part)
        if isinstance(media, types.Blob):
            return types.Part(inline_data=media)
        if isinstance(media, types.FileData):
            return types.Part(file_data=media)
        text = named(part, {})["text"]
    return types.Part(text=text) if text.strip() else None


def response_parts(parts: Iterable[Item]) -> tuple[list[str], list[types.FunctionResponsePart]]:
    """Return the texts among the parts of a tool's output, and its media.

    Media that only a URL tells of are named in text: tools' responses have none.
    """
    texts: list[str] = []
    media: list[types.FunctionResponsePart] = []
    for part in parts:
        text = part.get("text")
        blob = _data_of(part)
        if isinstance(text, str):
            texts.append(text)
        elif isinstance(blob, types.Blob):
            data = types.FunctionResponseBlob(data=blob.data, mime_type=blob.mime_type)
            media.append(types.FunctionResponsePart(inline_data=data))
        else:
            texts.append(named(part, {})["text"])
    return texts, media


def _data_of(part: Item) -> types.Blob | types.FileData | None:
    """Return the media of an item's part; None if Gemini cannot be told where they are."""
    if isinstance(sound := part.get("input_audio"), dict):
        found = data_in(f"data:audio/{sound.get('format')};base64,{sound.get('data')}")
        return found and types.Blob(data=found.data, mime_type=found.kind)
    is_picture = part.get("type") == "input_image"
    for key in ("image_url",) if is_picture else ("file_data", "file_url"):
        url = part.get(key)
        if not isinstance(url, str) or not url:
            continue
        if (found := data_in(url)) is not None:
            return types.Blob(data=found.data, mime_type=found.kind)
        if not url.startswith("data:") and key != "file_data":
            kind = _guessed((part.get("filename"), url), _PICTURE if is_picture else _FILE)
            return types.FileData(file_uri=url, mime_type=kind)
    return None


def _guessed(names: Sequence[Any], otherwise: str) -> str:
    for name in names:
        if isinstance(name, str) and (kind := mimetypes.guess_type(name.partition("?")[0])[0]):
            return kind
    return otherwise
