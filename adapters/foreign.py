"""The projection for frameworks: their own messages stay as they are, others' are made to fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from memwrap.adapters.projection import Target, fitting_ids, is_taken
from memwrap.hidden.sidecar import spans
from memwrap.items import Item, are_texts
from memwrap.pairing import id_key, in_order, pairs

__all__ = ["foreign_projected"]


def foreign_projected(items: Sequence[Item], target: Target) -> list[Item]:
    """Return *items* as a framework's messages are made of them.

    Messages of the framework's own, which have a sidecar, stay as they are. Of others go reasoning,
    what the target has not, and what an assistant left blank.
    """
    if are_texts(items) or any(type(item) is not dict for item in items):
        return [item for item in items if not _is_blank(item)]
    own = _own_places(items, target)
    ordered = in_order(list(items))
    places = _own_places(ordered, target)
    if [id(ordered[place]) for place in places] == [id(items[place]) for place in own]:
        items, own = ordered, places
    its_own = frozenset(own)
    kept = [
        place
        for place, item in enumerate(items)
        if place in its_own or (is_taken(item, target) and not _is_blank(item))
    ]
    foreign = [place for place in kept if place not in its_own]
    # A limit, or an edit, may have parted a call of the framework's own from its output.
    paired = {foreign[n] for pair in pairs([items[place] for place in foreign]) for n in pair}
    both = [two for pair in pairs(items) for two in (pair, pair[::-1])]
    tied = {other for one, other in both if one in its_own} - its_own - paired
    foreign = [place for place in foreign if place not in tied]
    named = (items[place].get("call_id") for place in its_own | tied)
    reserved = {call_id for call_id in named if isinstance(call_id, str)}
    fits = fitting_ids([items[place] for place in foreign], target, reserved=reserved)
    ids = {foreign[n]: fit for n, fit in fits.items()}
    return [
        items[place] | {id_key(items[place]): ids[place]} if place in ids else items[place]
        for place in kept
    ]


def _own_places(items: Sequence[Item], target: Target) -> list[int]:
    whole = sorted(spans(items, target.name)[1].items())
    return [place for start, (end, _) in whole for place in range(start, end)]


def _is_blank(item: Any) -> bool:
    """Tell whether an item is a message in which the assistant says nothing."""
    return (
        type(item) is dict
        and item.get("role") == "assistant"
        and isinstance(content := item.get("content", ""), str)
        and not content.strip()
    )
