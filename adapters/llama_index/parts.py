"""LlamaIndex's blocks of text and media, as parts of an item, and back."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Sequence
from io import IOBase
from pathlib import Path
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    CitableBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    VideoBlock,
)
from pydantic import ValidationError

from memwrap.items import Item
from memwrap.shapes import name_of_part

__all__ = ["blocks_of", "content_of", "encoded"]

_DETAILS = ("low", "high", "original")
_FORMATS = ("mp3", "wav")  # what an ``input_audio`` may have
_TITLE = "input_document"  # LlamaIndex's own title of a document without one


def encoded(data: Any) -> str | None:
    """Return the data of a block as base64 text; None if there is none.

    Blocks hold bytes as base64. A stream is read, and left where it was.
    """
    if isinstance(data, IOBase):
        place = data.tell()
        data.seek(0)
        data, _ = data.read(), data.seek(place)
        data = DocumentBlock(data=data).data if data else None
    try:
        return data.decode("ascii") or None if isinstance(data, bytes) else None
    except UnicodeDecodeError:  # somebody has set bytes that are none
        return None


def content_of(blocks: Sequence[Any]) -> Any:
    """Return blocks as a content: one text as itself, others as parts."""
    parts = [part for block in blocks for part in _parts(block)]
    match parts:
        case []:
            return ""
        case [{"type": "input_text", "text": text}]:
            return text
    return parts


def _parts(block: Any) -> Iterable[Item]:
    """Yield the parts that show a block."""
    if isinstance(block, TextBlock):
        yield {"type": "input_text", "text": block.text}
    elif isinstance(block, ImageBlock):
        yield _image(block)
    elif isinstance(block, AudioBlock):
        data = encoded(block.audio)
        if data and block.format in _FORMATS:
            audio = {"data": data, "format": block.format}
            yield {"type": "input_audio", "input_audio": audio}
        else:
            yield _named("audio", block)
    elif isinstance(block, VideoBlock):
        yield _named("video", block)
    elif isinstance(block, DocumentBlock):
        yield _document(block)
    elif isinstance(block, CitableBlock):
        for inner in block.content:
            yield from _parts(inner)


def _image(block: ImageBlock) -> Item:
    detail = block.detail if block.detail in _DETAILS else "auto"
    data = encoded(block.image)
    url = f"data:{block.image_mimetype or 'image/png'};base64,{data}" if data else block.url
    if url is None:
        return _named("image", block)
    return {"type": "input_image", "image_url": str(url), "detail": detail}


def _document(block: DocumentBlock) -> Item:
    title = block.title if block.title and block.title != _TITLE else None
    named = {"filename": title} if title else {}
    if data := encoded(block.data):
        media_type = block.document_mimetype or "application/octet-stream"
        return {"type": "input_file", **named, "file_data": f"data:{media_type};base64,{data}"}
    if block.url:
        return {"type": "input_file", **named, "file_url": str(block.url)}
    return _named("file", block)


def _named(word: str, block: Any) -> Item:
    """Return the text in place of what has no part, or lies on this machine only."""
    url = None if block.url is None or str(block.url).startswith("data:") else str(block.url)
    name = url or (Path(block.path).name if block.path else None)
    return {"type": "input_text", "text": f"[{word}: {name}]" if name else f"[{word}]"}


def blocks_of(content: Any) -> list[Any]:
    """Return a content as blocks; parts that LlamaIndex has not are named in text."""
    if isinstance(content, str):
        return [TextBlock(text=content)]
    parts = content if isinstance(content, list) else []
    return [_block(part) for part in parts if isinstance(part, dict)]


def _block(part: Item) -> Any:
    kind = part.get("type")
    text = part.get("refusal") if kind == "refusal" else part.get("text")
    if isinstance(text, str):
        return TextBlock(text=text)
    try:
        block = _media_block(part)
    except ValidationError:  # a URL that is none
        block = None
    return TextBlock(text=name_of_part(part)) if block is None else block


def _media_block(part: Item) -> Any:
    kind, url = part.get("type"), part.get("image_url")
    if kind == "input_image" and isinstance(url, str) and url:
        detail = part.get("detail") if part.get("detail") in _DETAILS else None
        media_type, data = _data(url)
        if data is None:
            return ImageBlock(url=url, detail=detail)
        return ImageBlock(image=data, image_mimetype=media_type or None, detail=detail)
    if kind == "input_audio" and isinstance(audio := part.get("input_audio"), dict):
        data = audio.get("data")
        if isinstance(data, str) and data:
            return AudioBlock(audio=data.encode(), format=audio.get("format"))
    if kind == "input_file":
        return _file_block(part)
    return None


def _file_block(part: Item) -> Any:
    name, data_url, url = (part.get(key) for key in ("filename", "file_data", "file_url"))
    title = name if isinstance(name, str) and name else None
    if isinstance(data_url, str) and data_url:
        media_type, data = _data(data_url)
        media_type = media_type or mimetypes.guess_type(title or "")[0] or "application/pdf"
        data = data_url.encode() if data is None else data
        if media_type.startswith("audio/"):
            return AudioBlock(audio=data, format=media_type.partition("/")[2])
        if media_type.startswith("video/"):
            return VideoBlock(video=data, video_mimetype=media_type)
        return DocumentBlock(data=data, title=title, document_mimetype=media_type)
    if isinstance(url, str) and url:
        return DocumentBlock(url=url, title=title)
    return None


def _data(url: str) -> tuple[str, bytes | None]:
    """Return the type and the base64 data of a URL that holds them; no data for another."""
    if not (url.startswith("data:") and ";base64," in url):
        return "", None
    head, _, data = url.partition(";base64,")
    return head.removeprefix("data:").partition(";")[0], data.encode()
