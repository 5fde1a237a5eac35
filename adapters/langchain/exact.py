"""What keeps both ways exact: templates of what messages and items cannot show of each other.

A *sidecar*, in an item's ``provider_data.langchain``, restores the message that the items came
from. A *carry*, in a message's ``additional_kwargs["memwrap"]``, restores the items that it came
from. Both go with a fingerprint of the visible items, and count only while that is theirs: an
edit or a redaction wins over anything hidden.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from langchain_core import messages

from memwrap.adapters.langchain.plain import groups, message_of
from memwrap.adapters.langchain.template import decode, encode, fingerprint
from memwrap.adapters.langchain.visible import items_of
from memwrap.items import PROVIDER_DATA
from memwrap.types import Item

__all__ = ["items_for", "items_for_all", "messages_for"]

_OWN = "langchain"
_CARRY = "memwrap"
_COMMON: dict[str, Any] = {
    "additional_kwargs": {},
    "response_metadata": {},
    "name": None,
    "id": None,
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "HumanMessage": _COMMON,
    "SystemMessage": _COMMON,
    "AIMessage": _COMMON | {"tool_calls": [], "invalid_tool_calls": [], "usage_metadata": None},
}
_ROLES = {"HumanMessage": "user", "SystemMessage": "system", "AIMessage": "assistant"}


# Messages to items


def items_for(message: Any, before: Sequence[Item] = ()) -> list[Item]:
    """Return the items of a message, with a sidecar if they do not say all of it.

    Args:
        message: The message.
        before: The items of the message before it, which must not be taken for a part of it.
    """
    items = _items_for(message)
    is_marked = _has_sidecar(items) or _has_sidecar(before)
    if before and not is_marked and len(list(groups([*before, *items]))) == 1:
        return _with_sidecar(message, items)
    return items


def items_for_all(messages: Iterable[Any]) -> list[Item]:
    """Return the items of messages, each of LangChain's classes."""
    items: list[Item] = []
    last: list[Item] = []
    for message in messages:
        last = items_for(message, last)
        items += last
    return items


def _has_sidecar(items: Sequence[Item]) -> bool:
    return any(_OWN in (item.get(PROVIDER_DATA) or ()) for item in items)


def _items_for(message: Any) -> list[Item]:
    if (plain := _plain_item(message)) is not None:
        return [plain]
    bare, carry = _without_carry(message)
    visible = items_of(bare)
    carried = _carried(carry, visible)
    if carried is None:
        return visible if _is_said(bare, visible) else _with_sidecar(bare, visible)
    shown = (message_of(carried, portable=portable) for portable in (False, True))
    if any(_fields(one) == _fields(bare) for one in shown):
        return carried
    return _with_sidecar(message, carried)  # with an id of LangGraph's, for one


def _plain_item(message: Any) -> Item | None:
    """Return the item of a message that is text and nothing else, which most are."""
    defaults = _DEFAULTS.get(name := type(message).__name__)
    if defaults is None or type(message.content) is not str or message.model_extra:
        return None
    for key, default in defaults.items():
        if getattr(message, key) != default:
            return None
    return {"role": _ROLES[name], "content": message.content}


def _is_said(message: Any, items: list[Item]) -> bool:
    """Tell whether the items alone give the same message again."""
    several = list(groups(items))
    return len(several) == 1 and _fields(message_of(several[0])) == _fields(message)


def _with_sidecar(message: Any, items: list[Item]) -> list[Item]:
    # The Agents SDK drops reasoning that has provider data.
    place = next((n for n, item in enumerate(items) if item.get("type") != "reasoning"), None)
    if place is None:
        place = len(items)
        items = [*items, {"role": "assistant", "content": ""}]
    name, fields = _fields(message)
    sidecar = {
        "at": place,
        "of": len(items),
        "items": fingerprint(_bare(items)),
        "class": name,
        "fields": encode(fields, _bare(items)),
    }
    data = items[place].get(PROVIDER_DATA)
    data = (data if isinstance(data, dict) else {}) | {_OWN: sidecar}
    return [*items[:place], items[place] | {PROVIDER_DATA: data}, *items[place + 1 :]]


def _fields(message: Any) -> tuple[str, dict[str, Any]]:
    """Return the name of a message's class in langchain-core and the fields that say something."""
    fields = {**message.__dict__, **(message.model_extra or {})}
    name = _name_of(type(message))
    defaults = _DEFAULTS.get(name, _COMMON)
    return name, {
        key: value
        for key, value in fields.items()
        if key != "type" and (key not in defaults or value != defaults[key])
    }


def _name_of(kind: type) -> str:
    """Return the class of langchain-core that a message's class is, or is derived from."""
    return next(
        base.__name__ for base in kind.__mro__ if base.__module__.startswith("langchain_core.")
    )


# Items to messages


def messages_for(items: Sequence[Item], *, portable: bool) -> Iterator[Any]:
    """Yield the messages of any slice of a conversation's items."""
    rest: list[Item] = []
    place = 0
    items, spans = _spans(items)
    while place < len(items):
        if place not in spans:
            rest.append(items[place])
            place += 1
            continue
        end, sidecar = spans[place]
        span = _bare(items[place:end])
        message = None if portable else _restored(sidecar, span)
        if message is None:
            rest += span
        else:
            yield from _shown(rest, portable)
            rest = []
            yield message
        place = end
    yield from _shown(rest, portable)


def _spans(
    items: Sequence[Item],
) -> tuple[list[Item], dict[int, tuple[int, dict[str, Any]]]]:
    """Return where whole messages with a sidecar begin and end, and the items.

    A sidecar of items that have been edited is left out; that of a message which a slice has cut
    stays, for the day when the message is whole again.
    """
    kept = list(items)
    spans: dict[int, tuple[int, dict[str, Any]]] = {}
    free = 0
    for place, item in enumerate(items):
        data = item.get(PROVIDER_DATA)
        sidecar = data.get(_OWN) if isinstance(data, dict) else None
        if not isinstance(sidecar, dict):
            continue
        at, of = sidecar.get("at"), sidecar.get("of")
        if type(at) is not int or type(of) is not int or not 0 <= at < of:
            continue
        start, end = place - at, place - at + of
        if start < free or end > len(items):
            continue
        if fingerprint(_bare(items[start:end])) == sidecar.get("items"):
            spans[start] = end, sidecar
            free = end
        else:
            kept[place] = _bare_item(item)
    return kept, spans


def _restored(sidecar: dict[str, Any], items: list[Item]) -> Any:
    """Return the message of a sidecar; None for a sidecar that nobody here wrote."""
    try:
        name, fields = sidecar["class"], decode(sidecar["fields"], items)
        kind = getattr(messages, name) if name in messages.__all__ else None
        if not (isinstance(kind, type) and issubclass(kind, messages.BaseMessage)):
            return None
        if kind.__name__.startswith("Base") or not isinstance(fields, dict):
            return None
    except (LookupError, TypeError, ValueError):
        return None
    return _made(kind, fields)


def _made(kind: Any, fields: dict[str, Any]) -> Any:
    """Return a message with exactly these fields, also if its constructor knows better."""
    try:
        message = kind(**fields)
    except (TypeError, ValueError):
        return kind.model_construct(**fields)
    return message if _fields(message)[1] == fields else kind.model_construct(**fields)


def _shown(items: list[Item], portable: bool) -> Iterator[Any]:
    """Yield the messages of items that have no sidecar, with a carry if they do not say all."""
    for group in groups(items):
        message = message_of(group, portable=portable)
        if not _is_plain(group[0]) or len(group) > 1:
            visible = items_of(message)
            if json.dumps(visible) != json.dumps(group):  # the order of keys counts too
                carry = {"items": fingerprint(visible), "as": encode(group, visible)}
                message.additional_kwargs[_CARRY] = [carry]
        yield message


def _is_plain(item: Item) -> bool:
    return (
        list(item) == ["role", "content"]
        and type(item["content"]) is str
        and item["role"] in ("user", "assistant", "system", "developer")
    )


def _without_carry(message: Any) -> tuple[Any, Any]:
    carry = message.additional_kwargs.get(_CARRY)
    if carry is None:
        return message, None
    kept = {key: value for key, value in message.additional_kwargs.items() if key != _CARRY}
    return message.model_copy(update={"additional_kwargs": kept}), carry


def _carried(carry: Any, visible: list[Item]) -> list[Item] | None:
    """Return the items that a message came from, if it still says the same."""
    try:
        (one,) = carry  # more than one: messages were merged
        if one["items"] != fingerprint(visible):
            return None
        items: list[Item] = decode(one["as"], visible)
    except (LookupError, TypeError, ValueError):
        return None
    return items


def _bare(items: Sequence[Item]) -> list[Item]:
    """Return the items without what memwrap hid in them."""
    return [_bare_item(item) if PROVIDER_DATA in item else item for item in items]


def _bare_item(item: Item) -> Item:
    data = item[PROVIDER_DATA]
    if not isinstance(data, dict) or _OWN not in data:
        return item
    rest = {key: value for key, value in data.items() if key != _OWN}
    bare = {key: value for key, value in item.items() if key != PROVIDER_DATA}
    return bare | {PROVIDER_DATA: rest} if rest else bare
