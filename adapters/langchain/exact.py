"""What keeps both ways exact: templates of what messages and items cannot show of each other.

A *sidecar*, in an item's ``provider_data.langchain``, restores the message that the items came
from. A *carry*, in a message's ``additional_kwargs["memwrap"]``, restores the items that it came
from. Both go with a fingerprint of the visible items, and count only while that is theirs: an
edit or a redaction wins over anything hidden. After one only what a message is stays, its class
and ids, not what it said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from memwrap.adapters.langchain.plain import groups, message_of
from memwrap.adapters.langchain.sidecar import (
    bare,
    fields_of,
    has_sidecar,
    recast,
    restored,
    spans,
    with_a_place,
    with_sidecar,
)
from memwrap.adapters.langchain.template import decode, encode, equal, fingerprint
from memwrap.adapters.langchain.visible import items_of
from memwrap.types import Item

__all__ = ["items_for", "items_for_all", "messages_for", "messages_to_append"]

_CARRY = "memwrap"

# Messages that are text and nothing else, which most are, differ from these in their text only.
_PLAIN: dict[type, tuple[str, dict[str, Any]]] = {
    HumanMessage: ("user", vars(HumanMessage(""))),
    SystemMessage: ("system", vars(SystemMessage(""))),
    AIMessage: ("assistant", vars(AIMessage(""))),
}
_KINDS: dict[str, Any] = {role: kind for kind, (role, _) in _PLAIN.items()}


# Messages to items


def items_for(message: Any, before: Sequence[Item] = ()) -> list[Item]:
    """Return the items of a message, with a sidecar if they do not say all of it.

    Args:
        message: The message.
        before: The items of the message before it, which must not be taken for a part of it.
    """
    if (item := _plain_item(message)) is not None:
        if not before or before[-1].get("type") != "reasoning":
            return [item]
        items, is_carried = [item], False
    else:
        items, is_carried = _items_for(message)
    if is_carried or not before or has_sidecar(items) or has_sidecar(before):
        return items
    return with_sidecar(message, items) if len(list(groups([*before, *items]))) == 1 else items


def items_for_all(messages: Iterable[Any], before: Sequence[Item] = ()) -> list[Item]:
    """Return the items of messages, each of LangChain's classes; *before* as in `items_for`."""
    items: list[Item] = []
    last = before
    for message in messages:
        last = items_for(message, last)
        items += last
    return items


def _plain_item(message: Any) -> Item | None:
    plain = _PLAIN.get(type(message))
    if plain is None or message.__pydantic_extra__:
        return None
    role, template = plain
    fields = message.__dict__
    text = fields.get("content")
    if type(text) is str and equal({**fields, "content": ""}, template):
        return {"role": role, "content": text}
    return None


def _items_for(message: Any) -> tuple[list[Item], bool]:
    """Return the items of a message, and whether they are those that it once was made of."""
    said, visible, carried = _said(message)
    if carried is None:
        return visible if _is_said(said, visible) else with_sidecar(said, visible), False
    shown = (message_of(carried, portable=portable) for portable in (False, True))
    if any(equal(fields_of(one), fields_of(said)) for one in shown):
        return carried, True
    return with_sidecar(message, carried), False  # with an id of LangGraph's, for one


def _said(message: Any) -> tuple[Any, list[Item], list[Item] | None]:
    """Return a message without its carry, the items that it says, and those that it carries."""
    carry = message.additional_kwargs.get(_CARRY)
    if carry is None:
        return message, items_of(message), None
    said = _without_carry(message)
    visible = items_of(said)
    return said, visible, _carried(carry, visible)


def _is_said(message: Any, items: list[Item]) -> bool:
    """Tell whether the items alone give the same message again."""
    fields = message.__dict__
    # No item says these, and they may hold anything: they are not compared.
    if any(fields.get(key) is not None for key in ("id", "artifact")):
        return False
    if fields.get("response_metadata"):
        return False
    several = list(groups(items))
    return len(several) == 1 and equal(fields_of(message_of(several[0])), fields_of(message))


# Items to messages


def messages_to_append(items: Sequence[Item]) -> list[Any]:
    """Return the messages of items that others may lie before, which they must not be one with."""
    messages = list(messages_for(items, portable=False))
    if messages and isinstance(first := messages[0], AIMessage):
        own = items_for(first)
        if not has_sidecar(own):
            _carry(first, own, items_of(first))
    return messages


def messages_for(items: Sequence[Item], *, portable: bool, is_slice: bool = True) -> Iterator[Any]:
    """Yield the messages of a conversation's items, or of any slice of them.

    Args:
        items: The items.
        portable: Leave what only the Responses API knows out of the content.
        is_slice: Let the first message know that it was kept apart from one before it.
    """
    rest: list[Item] = []
    place = 0
    items, whole = spans(items)
    while place < len(items):
        if place not in whole:
            rest.append(items[place])
            place += 1
            continue
        end, sidecar = whole[place]
        is_cut = is_slice and place == 0
        message = _message(sidecar, items[place:end], is_cut=is_cut, portable=portable)
        if message is None:
            rest += bare(items[place:end])
        else:
            yield from _shown(rest, portable)
            rest = []
            yield message
        place = end
    yield from _shown(rest, portable)


def _message(sidecar: dict[str, Any], items: list[Item], *, is_cut: bool, portable: bool) -> Any:
    """Return the message of items with this sidecar; None if there is none to be had from it."""
    visible = bare(items)
    message = None if portable else _restored(sidecar, visible)
    if message is None:
        now = _with_carry(message_of(visible, portable=portable), visible, portable=portable)
        message = recast(sidecar, now, portable=portable)
        return message if message is not None and _shows(message) == visible else None
    if is_cut and not has_sidecar(items_for(message)):
        # It only kept the message from being one with that before, which a slice has cut away.
        return _with_carry(message_of(items), items)
    return message


def _restored(sidecar: dict[str, Any], visible: list[Item]) -> Any:
    """Return the message of a sidecar if it says what can be seen, and nothing else."""
    try:
        message = restored(sidecar, visible)
        if message is None:
            return None
        items, _ = with_a_place(_shows(message))
        is_shown = items == visible or fingerprint(items) == sidecar["items"]  # tuples are lists
    except Exception:  # noqa: BLE001  (nobody knows what stands in a store)
        return None
    return message if is_shown else None


def _shows(message: Any) -> list[Item]:
    """Return the items of a message without its sidecar."""
    _, visible, carried = _said(message)
    return visible if carried is None else carried


def _shown(items: list[Item], portable: bool) -> Iterator[Any]:
    """Yield the messages of items that have no sidecar."""
    for group in groups(items, portable=portable):
        message = _plain_message(group)
        if message is None:
            message = message_of(group, portable=portable)
            message = _with_carry(message, group, portable=portable)
        yield message


def _plain_message(group: list[Item]) -> Any:
    item = group[0]
    if len(group) > 1 or [*item] != ["role", "content"] or type(item["content"]) is not str:
        return None
    role = item["role"]
    kind = _KINDS.get(role) if type(role) is str else None
    return None if kind is None else kind(content=item["content"])


# What messages cannot show of items


def _with_carry(message: Any, items: list[Item], *, portable: bool = False) -> Any:
    """Return a message made of items, with a carry if it does not say all of them."""
    visible = items_of(message)
    is_shown = json.dumps(visible) == json.dumps(items)  # the order of keys counts too
    if not is_shown or (portable and not _is_said(message, visible)):
        _carry(message, items, visible)
    return message


def _carry(message: Any, items: list[Item], visible: list[Item]) -> None:
    carry = {"items": fingerprint(visible), "as": encode(items, visible)}
    message.additional_kwargs[_CARRY] = [carry]


def _without_carry(message: Any) -> Any:
    kept = {key: value for key, value in message.additional_kwargs.items() if key != _CARRY}
    return message.model_copy(update={"additional_kwargs": kept})


def _carried(carry: Any, visible: list[Item]) -> list[Item] | None:
    """Return the items that a message came from, if it still says the same."""
    try:
        (one,) = carry  # more than one: messages were merged
        if one["items"] != fingerprint(visible):
            return None
        items: list[Item] = decode(one["as"], visible)
        fingerprint(items)  # raises for what is no JSON
        is_whole = bool(items) and all(type(item) is dict for item in items)
    except Exception:  # noqa: BLE001  (nobody knows what stands in metadata)
        return None
    return items if is_whole and type(items) is list else None
