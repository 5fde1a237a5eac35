"""The formats in which conversations are exported and imported, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from memwrap.exceptions import ConversionError
from memwrap.formats import atif, chat, html, jsonl, markdown, responses, sharegpt, uimessage
from memwrap.formats.documents import values_of
from memwrap.formats.format import Format

__all__ = ["FORMATS", "format_of"]

_ALL = (
    Format("jsonl", ".jsonl", jsonl.dump, jsonl.load),
    Format("openai", ".responses.jsonl", responses.dump, responses.load),
    Format("chat", ".chat.jsonl", chat.dump, chat.load),
    Format("sharegpt", ".sharegpt.jsonl", sharegpt.dump, sharegpt.load),
    Format("atif", ".atif.jsonl", atif.dump, atif.load),
    Format("uimessage", ".ui.jsonl", uimessage.dump, uimessage.load),
    Format("markdown", ".md", markdown.dump),
    Format("html", ".html", html.dump),
)

FORMATS: Mapping[str, Format] = MappingProxyType({format.name: format for format in _ALL})
"""All formats, by name."""

_BY_KEY = {
    "memwrap": "jsonl",
    "items": "openai",
    "input": "openai",
    "data": "openai",
    "conversations": "sharegpt",
    "steps": "atif",
}


def format_of(lines: Iterable[str]) -> Format:
    """Return the format of a text, by what its first document looks like.

    Args:
        lines: The text, or the beginning of it that has a whole document.

    Raises:
        ConversionError: It is of none.
    """
    _, value = next(iter(values_of(lines)), (0, None))
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict):
        name = next((name for key, name in _BY_KEY.items() if key in first), None)
        messages = first.get("messages")
        if name is None and isinstance(messages, list):
            first = messages[0] if messages else {}
        if name is None and isinstance(first, dict):
            name = _of_a_message(first)
        if name is not None:
            return FORMATS[name]
    raise ConversionError(f"the text is of none of the formats {', '.join(FORMATS)}")


def _of_a_message(message: Mapping[str, object]) -> str | None:
    if "parts" in message:
        return "uimessage"
    if "from" in message:
        return "sharegpt"
    if "type" in message:
        return "openai"
    return "chat" if "role" in message else None
