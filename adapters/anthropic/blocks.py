"""Blocks of Anthropic's messages: as dicts, and as parts of items."""

from __future__ import annotations

from typing import Any

from memwrap.adapters.media import data_in, url_of
from memwrap.adapters.projection import named
from memwrap.items import Item

__all__ = ["Block", "as_block", "block_of", "is_own_object", "part_of"]

Block = dict[str, Any]

_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_BASE64 = ";base64,"


def is_own_object(value: Any) -> bool:
    """Tell whether *value* is an object of the `anthropic` package."""
    return hasattr(value, "model_dump") and any(
        base.__module__.partition(".")[0] == "anthropic" for base in type(value).__mro__
    )


def as_block(value: Any) -> Any:
    """Return an object of the package as the dict that its API takes; other values as they are."""
    if is_own_object(value):
        # Only what the API sent: of defaults, and of what the package parsed, it knows nothing.
        return value.model_dump(
            mode="json",
            by_alias=True,
            exclude_unset=True,
            exclude_none=True,
            exclude=getattr(value, "__api_exclude__", None),
            warnings=False,
        )
    if isinstance(value, (list, tuple)):
        return [as_block(member) for member in value]
    if isinstance(value, dict):
        return {key: as_block(member) for key, member in value.items()}
    return value


def part_of(block: Any) -> Item | None:
    """Return a block as a part of an item's content; None if there is no part like it."""
    if not isinstance(block, dict):
        return None
    source = block.get("source")
    kind = block.get("type")
    if kind == "text" and isinstance(block.get("text"), str):
        return {"type": "input_text", "text": block["text"]}
    if kind not in ("image", "document") or not isinstance(source, dict):
        return None
    url = _url_of(source)
    if kind == "image":
        return None if url is None else _image(url)
    name = block.get("title")
    told = {"filename": name} if isinstance(name, str) else {}
    if source.get("type") == "text" and isinstance(source.get("data"), str):
        url = url_of("text/plain", source["data"].encode())
    if url is None:
        return None
    key = "file_data" if url.startswith("data:") else "file_url"
    return {"type": "input_file"} | told | {key: url}


def _image(url: str) -> Item:
    return {"type": "input_image", "image_url": url, "detail": "auto"}


def _url_of(source: Block) -> str | None:
    if source.get("type") == "url" and isinstance(source.get("url"), str):
        url: str = source["url"]
        return url
    kind, data = source.get("media_type"), source.get("data")
    is_data = source.get("type") == "base64" and isinstance(kind, str) and isinstance(data, str)
    return f"data:{kind}{_BASE64}{data}" if is_data else None


def block_of(part: Item) -> Block | None:
    """Return a part as a block; media that the API has not are named in text. None for no text."""
    text = part.get("text", part.get("refusal"))
    if not isinstance(text, str):
        made = _media(part)
        if made is not None:
            return made
        text = named(part, {})["text"]
    return {"type": "text", "text": text} if text.strip() else None


def _media(part: Item) -> Block | None:
    url = part.get("image_url")
    if isinstance(url, str):
        source = _source(url, _IMAGES)
        return None if source is None else {"type": "image", "source": source}
    name = part.get("filename")
    told = {"title": name} if isinstance(name, str) else {}
    for key in ("file_data", "file_url"):
        source = _source(part.get(key), ("application/pdf",))
        if source is not None:
            return {"type": "document", "source": source} | told
    found = data_in(part.get("file_data"))
    if found is not None and found.kind == "text/plain":
        text = found.data.decode(errors="replace")
        source = {"type": "text", "media_type": "text/plain", "data": text}
        return {"type": "document", "source": source} | told
    return None


def _source(url: Any, kinds: tuple[str, ...]) -> Block | None:
    """Return where a picture or file is; None if the API does not take it from there."""
    if isinstance(url, str) and url.startswith("https://"):
        return {"type": "url", "url": url}
    found = data_in(url)
    if found is None or found.kind not in kinds:
        return None
    return {"type": "base64", "media_type": found.kind, "data": url.partition(_BASE64)[2]}
