"""Items as the Responses API takes them, whoever dumped its objects.

A dump by the `openai` package has null keys for what nobody said, Python's names for keys, what the
package parsed out of texts, and what only answers have. It lacks null keys that the API wants, if
it was made without nulls.
"""

from __future__ import annotations

from typing import Any

from memwrap.items import Item
from memwrap.shapes import name_of_part

__all__ = [
    "PARSED",
    "as_named",
    "as_taken",
    "is_sent_id",
    "without_fake_id",
    "without_parsed",
]

# Keys that the API wants although they are null, by the type of the object.
_WANTED = {
    "code_interpreter_call": ("code", "outputs"),
    "image_generation_call": ("result",),
    "double_click": ("keys",),
}
# Keys that may be null, by the type of the object or by its place.
_NULLABLE = {"error": ("code", "param"), "function": ("parameters", "strict")}
# Objects of somebody's own, in which null is a value.
_OPEN = frozenset(
    {
        *("annotations", "arguments", "attributes", "env", "headers", "schema"),
        *("input_schema", "output_schema", "parameters"),
    }
)
PARSED = frozenset({"parsed", "parsed_arguments"})
"""What the package makes of a text."""

_MEDIA = ("input_image", "input_file", "input_audio")
_OF_ANSWERS = frozenset({"created_by"})
_PYTHON_NAMES = {"async_": "async", "schema_": "schema"}
_NOT_TAKEN = PARSED | _OF_ANSWERS | _PYTHON_NAMES.keys()
_ODD_KINDS = {*_WANTED, "custom_tool_call_output"}
_STR = {str}
_FAKE_ID = "__fake_id__"  # what the Agents SDK writes where a provider gave no id


def as_taken(item: Item) -> Item:
    """Return an item as the API takes it; the same object if there is nothing to change."""
    kind = item.get("type")
    is_flat = set(map(type, item.values())) == _STR and _NOT_TAKEN.isdisjoint(item)
    if is_flat and kind not in _ODD_KINDS:
        return item
    taken = _object(item, "")
    if kind == "custom_tool_call_output" and "status" in taken:
        taken = {key: value for key, value in taken.items() if key != "status"}
    return _without_shown_media(taken)


def as_named(item: Item) -> Item:
    """Return an item as the Agents SDK takes it: what the assistant said in parts has an id."""
    is_spoken = item.get("role") == "assistant" and isinstance(item.get("content"), list)
    named = {"id": _FAKE_ID, "type": "message", "status": "completed"}
    return named | item if is_spoken and "id" not in item else item


def without_fake_id(item: Item) -> Item:
    """Return an item without an id that no API gave it."""
    if item.get("id") != _FAKE_ID:
        return item
    return {key: value for key, value in item.items() if key != "id"}


def _without_shown_media(item: Item) -> Item:
    """Return an assistant's message with media named in text: only users show any to the API."""
    content = item.get("content")
    if item.get("role") != "assistant" or not isinstance(content, list):
        return item
    parts = [
        {"type": "output_text", "text": name_of_part(part), "annotations": []}
        if isinstance(part, dict) and part.get("type") in _MEDIA
        else part
        for part in content
    ]
    return item if parts == content else item | {"content": parts}


def is_sent_id(value: Any) -> bool:
    """Tell whether an id came from the API."""
    return isinstance(value, str) and value not in ("", _FAKE_ID)


def without_parsed(item: Item) -> Item:
    """Return an item without what the package parsed out of its texts: Python's own objects."""
    content = item.get("content")
    if isinstance(content, list) and any(map(_is_parsed, content)):
        item = item | {"content": [_unparsed(part) for part in content]}
    return _unparsed(item) if _is_parsed(item) else item


def _is_parsed(value: Any) -> bool:
    return isinstance(value, dict) and not PARSED.isdisjoint(value)


def _unparsed(value: Any) -> Any:
    if not _is_parsed(value):
        return value
    return {key: member for key, member in value.items() if key not in PARSED}


def _object(value: dict[str, Any], place: str) -> dict[str, Any]:
    kind = value.get("type")
    kind = kind if isinstance(kind, str) else ""
    wanted = _WANTED.get(kind, ())
    kept = wanted or _NULLABLE.get(kind, ()) or _NULLABLE.get(place, ())
    taken = {
        _PYTHON_NAMES.get(key, key): _value(member, key)
        for key, member in value.items()
        if key not in PARSED and key not in _OF_ANSWERS and (member is not None or key in kept)
    }
    taken |= {key: None for key in wanted if key not in taken}
    return value if taken == value else taken


def _value(value: Any, place: str) -> Any:
    if isinstance(value, dict):
        return value if place in _OPEN else _object(value, place)
    if isinstance(value, list):
        members = [_value(member, place) for member in value]
        return value if members == value else members
    return value
