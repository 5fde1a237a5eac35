"""The parts of contents: those of Chat Completions messages, and those of items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["content_of", "part_in", "part_out"]

Part = dict[str, Any]

_FILE = ("file_data", "file_id", "filename")


def part_in(part: Part) -> Part:
    """Turn a part of a chat message into a part of an item."""
    kind = part.get("type")
    if kind == "text":
        return {"type": "input_text", "text": part["text"]}
    if kind == "image_url":
        image = part["image_url"]
        return {
            "type": "input_image",
            "image_url": image["url"],
            "detail": image.get("detail", "auto"),
        }
    if kind == "file":
        return {"type": "input_file", **part["file"]}
    return dict(part)


def part_out(part: Part) -> Part:
    """Turn a part of an item into a part of a chat message."""
    kind = part.get("type")
    if kind in {"input_text", "output_text"}:
        return {"type": "text", "text": part["text"]}
    if kind == "input_image" and part.get("image_url"):
        image = {"url": part["image_url"]}
        if part.get("detail", "auto") != "auto":
            image["detail"] = part["detail"]
        return {"type": "image_url", "image_url": image}
    if kind == "input_file":
        return {"type": "file", "file": {key: part[key] for key in _FILE if key in part}}
    return dict(part)


def content_of(content: Any, convert_part: Callable[[Part], Part]) -> Any:
    """Return a content with its parts converted; a text is its own."""
    if not isinstance(content, list):
        return content
    return [convert_part(part) if isinstance(part, dict) else part for part in content]
