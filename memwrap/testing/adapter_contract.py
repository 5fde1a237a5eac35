"""The contract that every adapter has to keep, as tests to inherit."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from memwrap.dialects import Adapter
from memwrap.exceptions import ConversionError
from memwrap.hidden.data import PROVIDER_DATA, without_hidden, without_provider_data
from memwrap.hidden.sidecar import settled
from memwrap.items import Item, assistant, text_of, user
from memwrap.pairing import in_order
from memwrap.testing.session_contract import same

__all__ = ["AdapterContract"]

_TALK: list[Item] = [
    user("How is the weather?"),
    {"type": "function_call", "call_id": "c_1", "name": "look", "arguments": '{"at": "Rome"}'},
    {"type": "function_call", "call_id": "c_2", "name": "look", "arguments": '{"at": "Oslo"}'},
    {"type": "function_call_output", "call_id": "c_1", "output": "sunny"},
    {"type": "function_call_output", "call_id": "c_2", "output": "rain"},
    assistant("Sunny in Rome, rain in Oslo."),
    user("Thank you."),
]
_FOREIGN: list[Item] = [
    {"type": "of_the_future", "id": "x_1", "content": 5},
    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
]
_UNKNOWN = [item["type"] for item in _FOREIGN]
_MARK = "\N{SNOWMAN}"  # what an edit puts into texts
_LONG = 24  # characters from which on a text is told from a name or an id


class AdapterContract:
    """What every adapter has to do: subclass it, name an adapter and messages, let pytest run it.

    Attributes:
        adapter: The adapter: a module, or an object with ``to_items`` and ``from_items``.
        messages: A conversation in its dialect, with all that its messages may hold: text,
            pictures, calls of tools and their outputs, reasoning, and what no item shows.
        takes_tools: Whether the dialect has calls of tools.
        opening: What the adapter puts in front of an assistant that would be the first to speak.
    """

    adapter: Adapter
    messages: Sequence[Any] = ()
    takes_tools = True
    opening = ""

    def same(self, one: Any, other: Any) -> bool:
        """Tell whether two lists of messages are equal, field by field."""
        return bool(one == other)

    # Conversions of the dialect's own messages

    def test_messages_come_back(self) -> None:
        """Messages that a store has kept come back as they were, all of them and each alone."""
        everything = [list(self.messages), *([message] for message in self.messages)]
        for messages in everything:
            back = list(self.adapter.from_items(_stored(self.adapter.to_items(messages))))
            begin = len(back) - len(messages) if self._has_opening(back) else 0
            _fail_unless(self.same(back[begin:], messages), "messages come back changed")

    def test_any_part_can_be_shown(self) -> None:
        """Items that were cut anywhere are shown, and what is shown says nothing new."""
        items = _stored(self.adapter.to_items(list(self.messages)))
        for begin in range(len(items)):
            part = items[begin:]
            again = self._again(part)
            _fail_unless(_texts(again) <= _texts(part), "a part of the items says more than it did")

    def test_messages_are_unchanged(self) -> None:
        """Both directions leave what they are given as it was."""
        messages = list(self.messages)
        before = copy.deepcopy(messages)
        items = self.adapter.to_items(messages)
        _fail_unless(self.same(messages, before), "to_items changes the messages")
        kept = copy.deepcopy(items)
        self.adapter.from_items(items)
        same(items, kept)

    def test_items_are_items(self) -> None:
        """Each item is a JSON object with a role or a type."""
        for item in _stored(self.adapter.to_items(list(self.messages))):
            named = item.get("role") or item.get("type")
            _fail_unless(isinstance(named, str), "an item has neither a role nor a type")

    # Hidden data

    def test_nothing_that_is_seen_is_hidden_too(self) -> None:
        """No text that items show stands in their hidden data once more."""
        items = self.adapter.to_items(list(self.messages))
        hidden = json.dumps([item.get(PROVIDER_DATA) for item in items], ensure_ascii=False)
        for text in _texts(items):
            is_twice = len(text) >= _LONG and json.dumps(text, ensure_ascii=False)[1:-1] in hidden
            _fail_unless(not is_twice, "hidden data repeats a text that can be seen")

    def test_edits_win(self) -> None:
        """After an edit of all texts messages say the new ones, and the store has no old one."""
        items = _stored(self.adapter.to_items(list(self.messages)))
        edited = [_edited(item) for item in items]
        for changed in (edited, settled(edited)):
            same(_all_texts(self._again(changed)), _all_texts(changed))
        left = json.dumps(settled(edited), ensure_ascii=False)
        for text in _texts(items):
            is_left = len(text) >= _LONG and json.dumps(text, ensure_ascii=False)[1:-1] in left
            _fail_unless(not is_left, "an edited text is left in the store")

    def test_providers_see_no_hidden_data(self) -> None:
        """What an agent is shown has no hidden data of memwrap's in it."""
        items = _stored(self.adapter.to_items(list(self.messages)))
        for message in self.adapter.from_items(items):
            if isinstance(message, dict):
                same(without_hidden([message]), [message])

    # What others say

    def test_strings(self) -> None:
        """A string is a message of who speaks; the strings of an answer are one."""
        to_items = self.adapter.to_items
        same(to_items("Hi"), [user("Hi")])
        same(to_items("Hi", role="assistant"), [assistant("Hi")])
        same(to_items(["a", "b"], role="assistant"), [assistant("ab")])
        same(to_items([]), [])

    def test_items_of_others(self) -> None:
        """A conversation of another dialect is shown with all its texts, calls and outputs."""
        talk = _TALK if self.takes_tools else [_TALK[0], *_TALK[5:]]
        for items in (talk, talk[5:], [*talk[:1], *_FOREIGN, *talk[1:]]):
            same(_said(self._again(items)), _said(in_order(items)))

    def test_unknown_objects_are_refused(self) -> None:
        """What nobody can read is a `ConversionError` that tells nothing of the content."""
        for role in ("user", "assistant"):
            try:
                self.adapter.to_items(_Unknown(), role=role)
            except ConversionError as error:
                _fail_unless("hush" not in str(error), "the error quotes what it refuses")
            else:
                raise AssertionError("to_items takes an object of an unknown type")

    def _has_opening(self, messages: Sequence[Any]) -> bool:
        items = self.adapter.to_items(list(messages[:1]))
        return bool(self.opening) and [text_of(item) for item in items] == [self.opening]

    def _again(self, items: Sequence[Item]) -> list[Item]:
        """Return the items of the messages of items, without an opening."""
        messages = self.adapter.from_items(items)
        again = self.adapter.to_items(messages)
        is_opened = isinstance(messages, list) and self._has_opening(messages)
        return again[1:] if is_opened else again


class _Unknown:
    def __repr__(self) -> str:
        return "hush"


def _fail_unless(is_right: bool, what: str) -> None:
    """Fail with *what* is wrong; ``python -O`` would leave an ``assert`` out."""
    if not is_right:
        raise AssertionError(what)


def _stored(items: list[Item]) -> list[Item]:
    """Return items as a store gives them back."""
    stored: list[Item] = json.loads(json.dumps(items))
    return stored


def _texts(items: Sequence[Item]) -> set[str]:
    return {text for item in items if (text := text_of(item))}


def _all_texts(items: Sequence[Item]) -> list[str]:
    return [text for item in items if (text := text_of(item))]


def _said(items: Sequence[Item]) -> list[tuple[Any, ...]]:
    keys = ("type", "call_id", "name", "arguments", "output")
    return [
        (item["role"], text_of(item)) if item.get("role") else tuple(map(item.get, keys))
        for item in without_provider_data(items)
        if item.get("type") not in _UNKNOWN
    ]


def _edited(item: Item) -> Item:
    """Return an item with other texts in place of its own."""

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(part) for part in value]
        if isinstance(value, dict):
            keys = ("text", "refusal")
            return {k: _MARK if k in keys and v else v for k, v in value.items()}
        return _MARK if isinstance(value, str) and value else value

    key = "content" if item.get("role") else "output"
    return item | {key: changed(item[key])} if key in item else item
