"""Lists of messages taken apart: text, an adapter's own messages, and those of other dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from itertools import groupby
from typing import Any, ParamSpec, TypeVar

from memwrap.dialects import adapter_for
from memwrap.exceptions import ConversionError
from memwrap.foreign import converted
from memwrap.items import Item, fault_of

__all__ = ["check_item", "clear_errors", "convert", "one_by_one", "unknown"]

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M")


def convert(
    messages: Any,
    role: str,
    dialect: object,
    own: Callable[[list[Any], str], list[Item]],
) -> list[Item]:
    """Turn *messages* into items: text here, one dialect's messages by *own*, others by theirs.

    Args:
        messages: A message, or a list of them or of a stream's events.
        role: Who speaks in a string.
        dialect: The adapter that *own* belongs to.
        own: Converts a run of messages in that dialect.
    """
    several = list(messages) if isinstance(messages, (list, tuple)) else [messages]
    items: list[Item] = []

    def converter_of(message: Any) -> Any:
        return str if isinstance(message, str) else adapter_for(message) or dialect

    for converter, run in groupby(_flat(several), converter_of):
        events = list(run)
        if converter is str:
            # The chunks of a stream are one message; several inputs are several.
            texts = ["".join(events)] if role == "assistant" else events
            items += [{"role": role, "content": text} for text in texts]
        elif converter is dialect:
            items += own(events, role)
        else:
            items += converter.to_items(events, role=role)
    return items


def one_by_one(messages: Iterable[M], read: Callable[[M, list[Item]], list[Item]]) -> list[Item]:
    """Return the items of several messages.

    Args:
        messages: The messages.
        read: Returns the items of a message, given those of the message before it.
    """
    items: list[Item] = []
    last: list[Item] = []
    for message in messages:
        last = read(message, last)
        items += last
    return items


def _flat(messages: Iterable[Any]) -> Iterator[Any]:
    """Flatten one level: an agent may return or send a list of messages."""
    for message in messages:
        if isinstance(message, (list, tuple)) and not any(isinstance(m, str) for m in message):
            yield from message
        else:
            yield message


def clear_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Turn what a converter trips over into an error of memwrap's own, without the content."""

    @wraps(function)
    def clear(*args: P.args, **kwargs: P.kwargs) -> R:
        return converted(function, *args, **kwargs)

    return clear


def unknown(value: Any, role: str) -> ConversionError:
    """Return the error for a value that no adapter knows, with the ways out."""
    if value is None:
        name = "None"
    else:
        name = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    if role == "assistant":
        return ConversionError(
            f"the agent gave {name}, which is no item. Three ways out: give a string, an item or"
            " a list of items; pass with_session(adapter=...), an object with to_items and"
            " from_items; or give strings and add the rest with memwrap.record()"
        )
    return ConversionError(
        f"input is a string, an item or a list of items, not {name}; for messages of a framework"
        " pass with_session(adapter=...)"
    )


# Items of the Responses API; calls, outputs and the like have endings of their own.
_TYPES = frozenset({"message", "reasoning", "item_reference", "compaction", "mcp_list_tools"})
_ROLES = frozenset({"assistant", "developer", "system", "user"})
_FOREIGN_ROLES = frozenset({"ai", "bot", "chatbot", "human", "model", "tool_result"})
_OTHER_ROLE = (
    "a message has one of the roles user, assistant, system and developer; for messages of another"
    " API pass with_session(adapter=...)"
)
_ENDINGS = ("_call", "_output", "_request", "_response", "_tools", "_reference")


def check_item(item: Item, role: str, place: int) -> None:
    """Refuse a dict that is no item: no reader could take it, and each later turn would show it.

    Args:
        item: The dict.
        role: Who gave it: the agent is the assistant.
        place: Its place among what was given.

    Raises:
        ConversionError: It has neither a role nor the type of an item, has a role of another API,
            or is a realtime item.
    """
    path = f"$[{place}]"
    if str(item.get("object", "")).startswith("realtime."):
        raise ConversionError("items of the realtime API are not taken", path=path)
    if item.get("role") == "function":
        raise ConversionError(
            "messages of role `function` are not taken: the API has replaced them by `tool_calls`"
            " and messages of role `tool`",
            path=path,
        )
    kind = item.get("type")
    if item.get("role"):
        if (fault := fault_of(item)) is None and not _is_foreign(item["role"]):
            return
        why = f"an item has a `role` or a `type`: {fault}" if fault else _OTHER_ROLE
    elif kind is None and role == "assistant":
        why = (
            "the agent gave a dict that is no item, without a `role` and a `type`: give its text,"
            " as json.dumps() of the dict, or an item such as {'role': 'assistant', 'content':"
            " ...}; a stream of events of your own yields text, and a layer around"
            " Memory makes events of it"
        )
    elif kind is None:
        why = (
            "the input has a dict that is no item, without a `role` and a `type`: give a string,"
            " or {'role': 'user', 'content': ...}"
        )
    elif role != "assistant" or (
        isinstance(kind, str) and (kind in _TYPES or kind.endswith(_ENDINGS))
    ):
        if (fault := fault_of(item)) is None:
            return
        why = f"an item has a `role` or a `type`: {fault}"
    else:
        why = (
            "a dict with this `type` is an event or a part, and no item: give its text, or an item,"
            " which has a `role` or a type of the Responses API; for messages of another API pass"
            " with_session(adapter=...); a layer around Memory may send events of any kind"
        )
    raise ConversionError(why, path=path)


def _is_foreign(role: str) -> bool:
    """Tell whether a role is that of another API; names of a program's own are not looked into."""
    name = role.strip().lower()
    return role not in _ROLES and (name in _ROLES or name in _FOREIGN_ROLES)
