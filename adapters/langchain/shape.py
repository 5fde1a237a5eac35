"""LangChain's messages as the shared mechanism sees them, and what they cannot show of items.

A *carry*, in a message's ``additional_kwargs["memwrap"]``, restores the items that the message came
from, as a sidecar in an item restores the message. It counts only while the items that it restores
make a message which says the same as the one that it lies in. Outside of a store it counts only
with the proof that this process wrote it: a stranger's message may have one too.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from memwrap.adapters.langchain.fields import IDENTITY, fields_of, identified, message_of_fields
from memwrap.adapters.langchain.items_to_message import joins, message_of
from memwrap.adapters.langchain.message_to_items import items_of
from memwrap.adapters.langchain.response_items import speaker_of
from memwrap.adapters.lossless import Group, Lossless
from memwrap.adapters.projection import Target
from memwrap.adapters.targets import PORTABLE, SAME
from memwrap.hidden.comparison import digest, equal
from memwrap.hidden.data import without_marks
from memwrap.hidden.sidecar import has_sidecar
from memwrap.hidden.template import decode, encode
from memwrap.items import Item

__all__ = ["items_for", "items_for_all", "messages_for", "messages_to_append"]

_CARRY = "memwrap"
_NAME = "langchain"
_KEY = secrets.token_bytes(32)
_EXTRA = "extra_fields"  # fields that a message's class does not know, in their order

# Messages that are text and nothing else, which most are, differ from these in their text only.
_PLAIN: dict[type, tuple[str, dict[str, Any]]] = {
    HumanMessage: ("user", vars(HumanMessage(""))),
    SystemMessage: ("system", vars(SystemMessage(""))),
    AIMessage: ("assistant", vars(AIMessage(""))),
}
_CLASSES: dict[str, Any] = {role: kind for kind, (role, _) in _PLAIN.items()}


class _Shape:
    """LangChain's messages."""

    name = _NAME
    identity = IDENTITY
    unsaid = ("id", "name", "response_metadata", "usage_metadata", _EXTRA)

    def dump(self, message: Any) -> dict[str, Any]:
        name, fields = fields_of(message)
        extra = {key: fields.pop(key) for key in message.model_extra or () if key in fields}
        return {"class": name, **fields} | ({_EXTRA: extra} if extra else {})

    def load(self, data: dict[str, Any]) -> Any:
        fields = dict(data)
        name, extra = fields.pop("class"), fields.pop(_EXTRA, {})
        return message_of_fields(name, fields | extra)

    def show(self, message: Any) -> list[Item]:
        visible, carried = _shown(message)
        return visible if carried is None else carried

    def say(self, items: Sequence[Item], target: Target, identity: Mapping[str, Any]) -> Any:
        message = _plain_message(items)
        if message is None:
            message = _with_carry(message_of(items, target), items, target)
        if not identity:
            return message
        return identified(message, identity, keep_class=target is PORTABLE)

    def joins(self, item: Item, group: Group, target: Target) -> bool:
        return joins(item, group, target)


_LOSSLESS: Lossless[Any] = Lossless(_Shape())


# Messages to items


def items_for(message: Any, before: Sequence[Item] = (), *, is_stored: bool = False) -> list[Item]:
    """Return the items of a message, with a sidecar if they do not say all of it.

    Args:
        message: The message.
        before: Items of the message before. If both would read back as one message, a sidecar
            keeps them apart.
        is_stored: The message was read from a store of memwrap's: notes in its carry count.
    """
    item = _plain_item(message)
    if item is not None and (not before or before[-1].get("type") != "reasoning"):
        return [item]
    if item is None and _CARRY in message.additional_kwargs:
        carry, said = message.additional_kwargs[_CARRY], _without_carry(message)
        is_known = is_stored or _is_proven(carry)
        carried = _carried(carry, items_of(said)) if is_known else None
        if carried is None:  # the message was edited, or somebody else wrote this
            message = said
        elif _is_made_of(carried, said):
            return carried if is_stored else without_marks(carried)
    return _LOSSLESS.message_to_items(message, before)


def items_for_all(
    messages: Iterable[Any], before: Sequence[Item] = (), *, is_stored: bool = False
) -> list[Item]:
    """Return the items of messages, each of LangChain's classes; arguments as in `items_for`."""
    items: list[Item] = []
    for message in messages:
        before = items_for(message, before, is_stored=is_stored)
        items += before
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


# Items to messages


def messages_to_append(items: Sequence[Item]) -> list[Any]:
    """Convert items that will be appended to a stored history.

    The first message is marked so that it is not merged with the last stored one.
    """
    messages = list(messages_for(items, target=SAME))
    if messages and isinstance(first := messages[0], AIMessage):
        own = items_for(first, is_stored=True)
        if not has_sidecar(own, _NAME):
            _carry(first, own, items_of(first))
    return messages


def messages_for(items: Sequence[Item], *, target: Target, is_slice: bool = True) -> Iterator[Any]:
    """Yield the messages of a conversation's items; arguments as in `Lossless.from_items`."""
    return _LOSSLESS.from_items(items, target=target, is_slice=is_slice)


def _plain_message(items: Sequence[Item]) -> Any:
    item = items[0]
    if len(items) > 1 or [*item] != ["role", "content"] or type(item["content"]) is not str:
        return None
    role = item["role"]
    kind = _CLASSES.get(role) if type(role) is str else None
    return None if kind is None else kind(content=item["content"])


# What messages cannot show of items


def _shown(message: Any) -> tuple[list[Item], list[Item] | None]:
    """Return the items that a message says, and those that it carries."""
    carry = message.additional_kwargs.get(_CARRY)
    if carry is None:
        return items_of(message), None
    visible = items_of(_without_carry(message))
    return visible, _carried(carry, visible)


def _is_made_of(carried: list[Item], message: Any) -> bool:
    """Tell whether a message without its carry is just what the items of the carry make."""
    fields = fields_of(message)
    made = (message_of(carried, target) for target in (SAME, PORTABLE))
    return any(equal(fields_of(one), fields) for one in made)


def _with_carry(message: Any, items: Sequence[Item], target: Target) -> Any:
    """Return a message made of items, with a carry if it does not say all of them."""
    visible = items_of(message)
    is_shown = json.dumps(visible) == json.dumps(items)  # the order of keys counts too
    if not is_shown or (target is PORTABLE and not _is_said(message, visible)):
        _carry(message, items, visible)
    return message


def _is_said(message: Any, items: list[Item]) -> bool:
    groups = list(_LOSSLESS.groups(items))
    if len(groups) != 1:
        return False
    return equal(fields_of(message_of(groups[0], SAME)), fields_of(message))


def _carry(message: Any, items: Sequence[Item], visible: list[Item]) -> None:
    carry = {"items": digest(visible), "as": encode(list(items), visible)}
    message.additional_kwargs[_CARRY] = [carry | {"proof": _proof(carry)}]


def _proof(carry: Mapping[str, Any]) -> str:
    """Return what only this process can know of a carry."""
    told = digest([{"items": carry["items"], "as": carry["as"]}])
    return hmac.digest(_KEY, told.encode(), "sha256").hex()


def _is_proven(carry: Any) -> bool:
    try:
        (one,) = carry
        return hmac.compare_digest(one["proof"], _proof(one))
    except Exception:  # noqa: BLE001  (nobody knows what stands in metadata)
        return False


def _without_carry(message: Any) -> Any:
    kept = {key: value for key, value in message.additional_kwargs.items() if key != _CARRY}
    return message.model_copy(update={"additional_kwargs": kept})


def _carried(carry: Any, visible: list[Item]) -> list[Item] | None:
    """Return the items that a message came from, if they make a message that says the same."""
    try:
        (one,) = carry  # more than one: messages were merged
        if one["items"] != digest(visible):
            return None
        items: list[Item] = decode(one["as"], visible)
        digest(items)  # raises for what is no JSON
        if type(items) is not list or not items or any(type(item) is not dict for item in items):
            return None
        if _is_proven(carry):
            return items
        authors = {speaker_of(item) for item in items if item.get("type", "message") == "message"}
        if not authors <= {speaker_of(item) for item in visible} | {None}:
            return None
        made = (items_of(message_of(items, target)) for target in (SAME, PORTABLE))
        return items if any(shown == visible for shown in made) else None
    except Exception:  # noqa: BLE001  (nobody knows what stands in metadata)
        return None
