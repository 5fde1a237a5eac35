"""LangChain messages, whatever form they come in, as items, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
)

from memwrap.adapters import chat
from memwrap.adapters.dispatch import clear_errors, convert, one_by_one, unknown
from memwrap.adapters.langchain.items_to_message import SHOWN_AS
from memwrap.adapters.langchain.shape import items_for, items_for_all, messages_for
from memwrap.adapters.langchain.streams import Chunks
from memwrap.adapters.langchain.structured import raw_of
from memwrap.adapters.openai_objects import has_parts_of_items
from memwrap.adapters.projection import Target, fitting_ids
from memwrap.adapters.streams import added_up
from memwrap.adapters.targets import PORTABLE, SAME
from memwrap.answers import answers_marked
from memwrap.exceptions import ConversionError
from memwrap.hidden.data import marked, marks_of, without_marks
from memwrap.items import Item

__all__ = ["from_items", "to_items"]

_TARGETS = {"openai": SAME, "portable": PORTABLE}

_WHOLE = frozenset({AIMessage, HumanMessage, SystemMessage, ToolMessage})

# What LangChain calls messages in dicts, where items have other types.
_TYPES = (
    *("ai", "assistant", "constructor", "developer", "function", "human", "remove", "system"),
    *("tool", "user"),
)


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn LangChain messages into items; see the table in `memwrap.adapters.langchain`.

    Raises:
        ConversionError: There is something else among them.
    """
    if type(messages) is list and _WHOLE.issuperset(map(type, messages)):
        # a history, most often: nothing to look up or to add up
        return without_marks(items_for_all(messages))
    return convert(messages, role, sys.modules["memwrap.adapters.langchain"], _items_of)


@clear_errors
def from_items(
    items: Sequence[Item], /, *, style: Literal["openai", "portable"] = "openai"
) -> list[Any]:
    """Turn items into LangChain messages; see the table in `memwrap.adapters.langchain`.

    Args:
        items: Any part of a conversation.
        style: ``"portable"`` leaves reasoning, hosted tools' blocks, ids and annotations out of
            the content, for histories that are shown to other providers.
    """
    target = _TARGETS[style]
    return list(messages_for(_noted(items, target), target=target))


def _noted(items: Sequence[Item], target: Target) -> Sequence[Item]:
    """Return the items with notes of the ids that calls are shown under, if not under their own.

    A message remembers its items, so that they get their own ids again.
    """
    if target.id_length is None:
        return items
    ids = fitting_ids(items, target)
    noted = list(items)
    for place, item in enumerate(items):
        if place in ids or SHOWN_AS in marks_of(item):  # nobody else's note counts
            noted[place] = marked(item, **{SHOWN_AS: ids.get(place, item.get("call_id"))})
    return noted


def _items_of(messages: list[Any], role: str) -> list[Item]:
    # Chunks in an answer are added up; chunks in an input are stored as they are.
    said = raw_of(messages) if role == "assistant" else messages
    spread = _spread(said)

    def read(message: Any, last: list[Item]) -> list[Item]:
        if isinstance(message, dict) and _is_item(message):
            return chat.to_items(message, role=role)
        return without_marks(items_for(_message(message, role), last))

    items = one_by_one(added_up(spread, Chunks()) if role == "assistant" else spread, read)
    return items if said is messages else answers_marked(items)


def _spread(messages: Iterable[Any]) -> Iterable[Any]:
    """Take the values of prompts apart."""
    for message in messages:
        yield from message.to_messages() if hasattr(message, "to_messages") else [message]


def _is_item(message: dict[str, Any]) -> bool:
    """Tell whether a dict is an item, and no message as LangChain reads them."""
    kind = message.get("type")
    if kind is not None:
        return kind not in _TYPES
    return has_parts_of_items(message)


def _message(value: Any, role: str) -> Any:
    if isinstance(value, BaseMessage):
        return value
    if isinstance(value, dict) and not (value.get("role") or value.get("type")):
        raise ConversionError(_DICT_RESULT if role == "assistant" else _DICT_INPUT)
    is_pair = isinstance(value, (tuple, list)) and len(value) == 2  # noqa: PLR2004
    if is_pair or isinstance(value, dict):
        return convert_to_messages([value])[0]
    raise unknown(value, role)


_DICT_INPUT = (
    "the input is a dict that is no message, such as the variables of a prompt, and nothing tells"
    " which of them the user said: make the chain with memwrap.adapters.langchain"
    ".from_runnable_with_history(chain, store, input_messages_key=...), or pass it messages"
)
_DICT_RESULT = (
    "the runnable gave a dict that is no message: end it with a message or text; name the answer"
    " among several with memwrap.adapters.langchain.from_runnable_with_history(chain, store,"
    " output_messages_key=...); or pass with_session(adapter=...), whose to_items tells what the"
    " dict says"
)
