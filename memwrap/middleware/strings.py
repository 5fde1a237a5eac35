"""Every string of an item, whose structure stays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from memwrap.exceptions import TurnError, TurnRefused
from memwrap.hidden.data import PROVIDER_DATA, QUARANTINED, is_hidden_data, marked, marks_of
from memwrap.hidden.sidecar import redacted
from memwrap.items import Item, are_texts
from memwrap.shapes import ROLES, TYPES

__all__ = ["Strings"]

# Values under these keys that are kept: the names that the Responses API defines. Other values
# are somebody's text.
_NAMES: dict[str, frozenset[str]] = {
    "role": ROLES,
    "type": TYPES,
    "status": frozenset(
        {
            *("in_progress", "completed", "incomplete", "failed", "queued", "searching"),
            *("interpreting", "generating", "calling", "cancelled"),
        }
    ),
}
_PARTS = frozenset({"content", "output", "summary"})

# Ids that lead from one item to another, by the type of the item. They are kept, or later turns
# could not pair the items.
_REFERENCES: dict[str, tuple[str, ...]] = {
    "call_id": ("_call", "_output"),
    "id": ("mcp_approval_request", "item_reference"),
    "approval_request_id": ("mcp_approval_response",),
}

# The ids of the Responses API, by which it finds an item again.
_ITEM_ID = re.compile(
    r"(apc|ci|cmp|ctc|ctco|cu|cuo|fc|fco|fs|ig|lsh|mcp|mcpl|mcpr|msg|rs|sh|ws)(_[A-Za-z0-9]+)?\Z"
)

_JSON_STARTS = frozenset('{["')

# A string of JSON with an escape in it; the text may be cut short.
_ESCAPED = re.compile(r'"[^"\\]*\\(?:[^"\\]|\\.)*"?', re.DOTALL)

# Names of the Responses API; other keys are somebody's data.
_FIELDS = frozenset(
    {
        *("action", "annotations", "approval_request_id", "approve", "arguments", "call_id"),
        *("code", "content", "detail", "encrypted_content", "file_data", "file_id", "file_url"),
        *("filename", "id", "image_url", "input", "logprobs", "name", "output", "phase"),
        *(PROVIDER_DATA, "queries", "reason", "refusal", "results", "role", "server_label"),
        *("status", "summary", "text", "title", "type", "url"),
    }
)


class Strings:
    """Changes every string of items: nested values, numbers, keys, and JSON in strings.

    Known names of fields, roles, types and status stay, and so do the ids that pair calls with
    outputs.

    Args:
        function: Returns the changed form of a string.
    """

    def __init__(self, function: Callable[[str], str]) -> None:
        self._function = function

    def items(self, items: list[Item]) -> list[Item]:
        """Return the items with their strings changed.

        Raises:
            TurnError: The function failed on a string.
        """
        return [self._item(item) for item in items]

    def _item(self, item: Item) -> Item:
        if are_texts((item,)):
            return item | {"content": self._value(item["content"])}
        kind = item.get("type")
        redacted = self._object(item, is_part=True)
        if isinstance(kind, str) and kind in TYPES:
            for key, kinds in _REFERENCES.items():
                if kind.endswith(kinds) and isinstance(item.get(key), str):
                    redacted[key] = item[key]
            if isinstance(item.get("id"), str) and _ITEM_ID.match(item["id"]):
                redacted["id"] = item["id"]
        if QUARANTINED in marks_of(item):
            redacted = marked(redacted, **{QUARANTINED: True})
        return redacted

    def _object(self, value: Mapping[str, Any], *, is_part: bool) -> dict[str, Any]:
        """Redact an object; *is_part* tells that it is an item, or a part of its content."""
        redacted: dict[str, Any] = {}
        repeats: dict[str, int] = {}
        for key, member in value.items():
            name = self._key(key)
            if name in redacted:  # two secrets became one: both values stay
                name = _free(name, redacted, repeats)
            if is_part and key in _NAMES and isinstance(member, str) and member in _NAMES[key]:
                redacted[name] = member
            elif is_part and key == PROVIDER_DATA and isinstance(member, dict):
                redacted[name] = self._hidden(member)
            else:
                redacted[name] = self._value(member, is_part=is_part and key in _PARTS)
        return redacted

    def _hidden(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Redact the values of hidden data, and keep the structure of memwrap's own."""
        return {
            name if is_hidden_data(name, None) else self._key(name): (
                redacted(member, self._value, self._key)
                if isinstance(member, dict) and is_hidden_data(name, member)
                else self._value(member)
            )
            for name, member in data.items()
        }

    def _key(self, key: str) -> str:
        return key if key in _FIELDS else self._text(key)

    def _value(self, value: Any, *, is_part: bool = False) -> Any:
        if isinstance(value, str):
            return self._text(self._json(value))
        if isinstance(value, dict):
            return self._object(value, is_part=is_part)
        if isinstance(value, (list, tuple)):
            return [self._value(member, is_part=is_part) for member in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            redacted = self._text(str(value))
            return value if redacted == str(value) else redacted
        return value

    def _json(self, text: str) -> str:
        """Redact inside the values of JSON, which escapes and numbers would hide from a pattern."""
        if text.lstrip()[:1] not in _JSON_STARTS:
            return text
        try:
            value = json.loads(text)
            redacted = self._value(value)
            return text if redacted == value else json.dumps(redacted, ensure_ascii=False)
        except (ValueError, RecursionError):  # cut short, or too deep to be read
            return _ESCAPED.sub(self._escaped, text)

    def _escaped(self, found: re.Match[str]) -> str:
        """Redact one string of JSON that is no JSON as a whole."""
        text = found[0]
        end = "" if len(text) > 1 and text.endswith('"') else '"'
        try:
            value = json.loads(text + end)
        except ValueError:
            return text
        redacted = self._text(value)
        if redacted == value:
            return text
        return json.dumps(redacted, ensure_ascii=False).removesuffix(end or "\0")

    def _text(self, text: str) -> str:
        redacted: object
        try:
            redacted = self._function(text)
        except TurnRefused:
            raise
        except Exception as exc:  # noqa: BLE001  (anything it raises means: not redacted)
            problem = f"failed ({type(exc).__name__})"  # not its text, which may quote the string
        else:
            if isinstance(redacted, str):
                return redacted
            problem = f"returned a {type(redacted).__name__}, not a string"
        raise TurnError(f"the redacting function {problem}; nothing was stored")


def _free(name: str, taken: Mapping[str, Any], repeats: dict[str, int]) -> str:
    """Return *name* with a number behind it, such that no key of *taken* is equal."""
    while name in taken:
        repeats[name] = number = repeats.get(name, 1) + 1
        if (numbered := f"{name}_{number}") not in taken:
            return numbered
    return name
