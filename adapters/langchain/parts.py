"""Blocks of text, pictures and files, of all of LangChain's generations, as parts of an item."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from memwrap.items import Item

__all__ = ["PARTS", "part_of", "parts_of"]

_DETAILS = ("auto", "high", "low", "original")
_PICTURE, _FILE = "image/png", "application/octet-stream"


def parts_of(content: list[Any]) -> list[Item]:
    """Return the blocks of a content that have a part like them."""
    return [part for block in content if (part := part_of(block)) is not None]


def part_of(block: Any) -> Item | None:
    """Return a block as a part of a message's content; None if there is no part like it."""
    if isinstance(block, str):
        return {"type": "input_text", "text": block}
    if not isinstance(block, dict):
        return None
    kind = block.get("type", "image" if "image" in block else None)  # Bedrock's has no type
    make = PARTS.get(kind) if isinstance(kind, str) else None
    try:
        return make(block) if make else None
    except Exception:  # noqa: BLE001  (not what its type says, but any object at all)
        return None


def _text(block: Mapping[str, Any]) -> Item | None:
    text = block["text"]
    return {"type": "input_text", "text": text} if isinstance(text, str) else None


def _image_url(block: Mapping[str, Any]) -> Item | None:
    image = block["image_url"]
    image = {"url": image} if isinstance(image, str) else image
    if not isinstance(image["url"], str):
        return None
    return {"type": "input_image", "image_url": image["url"], "detail": _detail(image)}


def _input_image(block: Mapping[str, Any]) -> Item | None:
    found = {key: block[key] for key in ("image_url", "file_id") if isinstance(block.get(key), str)}
    return {"type": "input_image"} | found | {"detail": _detail(block)} if found else None


def _image(block: Mapping[str, Any]) -> Item | None:
    where, value = _source(block, _PICTURE)
    key = {"url": "image_url", "file_id": "file_id"}[where]
    extras = block.get("extras")
    detail = _detail(extras if isinstance(extras, dict) else {})
    return {"type": "input_image", key: value, "detail": detail}


def _detail(of: Mapping[str, Any]) -> str:
    detail = of.get("detail")
    return detail if detail in _DETAILS else "auto"


def _file(block: Mapping[str, Any]) -> Item | None:
    if isinstance(file := block.get("file"), dict):  # as in Chat Completions
        return _input_file(file)
    where, value = _source(block, _FILE)
    if where == "text":
        return {"type": "input_text", "text": value}
    if where == "url":
        where = "file_data" if value.startswith("data:") else "file_url"
    places = (block.get("extras"), block.get("metadata"), block)
    names = (of.get(key) for of in places if isinstance(of, dict) for key in ("filename", "title"))
    name = next((name for name in names if name and isinstance(name, str)), None)
    return {"type": "input_file"} | ({"filename": name} if name else {}) | {where: value}


def _input_file(file: Mapping[str, Any]) -> Item | None:
    keys = ("file_data", "file_url", "file_id", "filename")
    known = {key: file[key] for key in keys if isinstance(file.get(key), str)}
    return {"type": "input_file"} | known if known.keys() - {"filename"} else None


def _media(block: Mapping[str, Any]) -> Item | None:
    is_picture = str(block["mime_type"]).startswith("image/")
    return (_image if is_picture else _file)(block)


def _source(block: Mapping[str, Any], mime: str) -> tuple[str, str]:
    """Return where the data is, as ``url`` (also of the data), ``file_id`` or ``text``."""
    if isinstance(inner := block.get("image"), dict):  # Bedrock
        block, mime = inner, f"image/{inner.get('format', 'png')}"
    if isinstance(inner := block.get("source"), dict):  # Anthropic, and inside of Bedrock's
        block = inner | {"text": inner.get("data")} if inner.get("type") == "text" else inner
    url = block.get("url", block.get("file_uri"))
    if isinstance(url, str):
        return "url", url
    for key in ("base64", "data", "bytes") if block.get("type") != "text" else ():
        if isinstance(data := block.get(key), bytes):
            data = base64.b64encode(data).decode()
        if isinstance(data, str):
            mime = block.get("mime_type") or block.get("media_type") or mime
            return "url", f"data:{mime};base64,{data}"
    if isinstance(block.get("text"), str):
        return "text", block["text"]
    return "file_id", _string(block["id" if block.get("source_type") == "id" else "file_id"])


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


PARTS: dict[str, Callable[[Mapping[str, Any]], Item | None]] = {
    "text": _text,
    "input_text": _text,
    "image_url": _image_url,
    "input_image": _input_image,
    "image": _image,
    "file": _file,
    "document": _file,
    "text-plain": _file,
    "input_file": _input_file,
    "media": _media,
}
"""How each type of block becomes a part."""
