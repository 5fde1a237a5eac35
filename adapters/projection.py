"""The projection: items as a reader can take them, whoever wrote them.

The store keeps what happened. The projection runs before every reader, in this order:

| step                       | what it does                                                        |
|----------------------------|---------------------------------------------------------------------|
| order                      | outputs stand right behind their calls; what the assistant said in  |
|                            | between moves in front of the calls                                 |
| foreign items              | reasoning of other models goes, and items that the target has not   |
| media                      | parts that a speaker cannot show there are named in text            |
| dumps                      | an item is what the API takes, whoever dumped it                    |
| ids                        | call ids fit the target's alphabet and length, and are unique; a    |
|                            | call and its output have the same                                   |

Instructions that come with every input, open calls, orphan outputs and reasoning without a follower
are no matter of a dialect: `memwrap.items.repaired` and `memwrap.instructions` see to them.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from memwrap.adapters.dumps import as_named, as_taken, is_sent_id, without_fake_id
from memwrap.adapters.targets import Target
from memwrap.hidden.data import is_hidden_data, names_of
from memwrap.hidden.sidecar import retied
from memwrap.items import Item, are_texts
from memwrap.pairing import id_key, in_order, pairs
from memwrap.shapes import TYPES, is_known_shape, name_of_part

__all__ = [
    "Target",
    "fitting_id",
    "fitting_ids",
    "is_foreign",
    "is_of_api",
    "is_taken",
    "named",
    "projected",
]

_WORD = re.compile(r"[A-Za-z0-9_-]+")
_DIGITS = 16  # of the digest in an id that was made to fit

# What the Responses API takes without an id of its own, too.
_WITHOUT_ID = frozenset({"message", "function_call", "custom_tool_call"})


def projected(items: Sequence[Item], target: Target) -> list[Item]:
    """Return *items* as *target* can take them."""
    if are_texts(items) or any(type(item) is not dict for item in items):
        return list(items)  # there is nothing to do, or a layer put something else there
    taken = [_shown(item, target) for item in in_order(list(items)) if is_taken(item, target)]
    return _with_fitting_ids(_each_once(taken) if target.is_api else taken, target)


def fitting_id(call_id: str, target: Target) -> str:
    """Return a call id in the target's alphabet and length, the same for the same id each time."""
    if target.id_length is None:
        return call_id
    if len(call_id) <= target.id_length and _WORD.fullmatch(call_id):
        return call_id
    return _made_id(call_id, length=target.id_length)


def _made_id(*parts: str, length: int) -> str:
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    readable = "_".join(_WORD.findall(parts[0]))[: length - _DIGITS - 1]
    return f"{readable}_{digest[:_DIGITS]}" if readable else f"call_{digest[:_DIGITS]}"


def is_taken(item: Item, target: Target) -> bool:
    """Tell whether a target has items of this type; reasoning only of its own."""
    kind = item.get("type", "message")
    if kind == "message":
        return True
    if target.items is not None and kind not in target.items:
        return False
    if kind != "reasoning":
        return True
    if target.is_api:
        return _is_own(item, target)
    return target.items is None or target.name in names_of(item)


def _is_own(reasoning: Item, target: Target) -> bool:
    """Tell whether reasoning is an item of the Responses API, or hidden by the reader itself."""
    if target.hides_data:
        return isinstance(reasoning.get("id"), str) and not is_foreign(reasoning, target.name)
    return is_of_api(reasoning, target.name)


def is_of_api(reasoning: Item, name: str) -> bool:
    """Tell whether reasoning is an item of the Responses API: no other dialect's but *name*'s."""
    return is_sent_id(reasoning.get("id")) and not _others(reasoning, name)


def is_foreign(item: Item, name: str) -> bool:
    """Tell whether an item is reasoning that a dialect other than *name* has marked."""
    is_marked = any(is_hidden_data(other, None) for other in _others(item, name))
    return is_marked and item.get("type") == "reasoning"


def _others(item: Item, name: str) -> list[str]:
    return [other for other in names_of(item) if other not in ("memwrap", name)]


def _each_once(items: list[Item]) -> list[Item]:
    """Return the items with each of the API's own ids once, as it refuses a second.

    What cannot be without an id is left out then, with its output: it is the same item.
    """
    seen: set[str] = set()
    shown: dict[int, Item | None] = {}
    for place, item in enumerate(items):
        name, kind = item.get("id"), str(item.get("type", "message"))
        if not isinstance(name, str) or kind == "item_reference" or kind.endswith("_output"):
            continue
        if name in seen and is_sent_id(name):
            bare = {key: item[key] for key in item if key != "id"}
            shown[place] = bare if kind in _WITHOUT_ID else None
        seen.add(name)
    if not shown:
        return items
    left_out = {output for call, output in pairs(items) if shown.get(call, {}) is None}
    return [
        one
        for place, item in enumerate(items)
        if place not in left_out and (one := shown.get(place, item)) is not None
    ]


def _shown(item: Item, target: Target) -> Item:
    if target.parts is not None:
        key = "output" if "output" in item else "content"
        if isinstance(item.get(key), list):
            allowed = target.parts.get(item.get("role", "tool"), {})
            parts = [named(part, allowed) for part in item[key]]
            item = item if parts == item[key] and parts else item | {key: parts or ""}
    if target.is_api and item.get("type", "message") in TYPES:
        item = as_taken(item)
        return as_named(item) if target.hides_data else without_fake_id(item)
    return item


def named(part: Any, allowed: Mapping[str, tuple[str, ...]]) -> Any:
    """Return a part of a content, or a text that names it if a speaker cannot show it.

    Args:
        part: The part.
        allowed: The types of parts besides text that may be shown, and where their data may be.
    """
    if not isinstance(part, dict) or isinstance(part.get("text"), str):
        return part
    kind = part["type"] if is_known_shape(part.get("type")) else "part"
    if any(part.get(key) for key in allowed.get(kind, ())):
        return part
    return {"type": "input_text", "text": name_of_part(part)}


def _are_fitting(items: Sequence[Item], target: Target, reserved: Collection[Any]) -> bool:
    """Tell whether all call ids fit, and each is of one call only."""
    taken = set(reserved)
    for item in items:
        if item.get("type", "message") == "message":
            continue
        call_id = item.get(id_key(item))
        if call_id is None:
            continue
        if type(call_id) is not str or fitting_id(call_id, target) != call_id:
            return False
        if not str(item.get("type")).endswith("_output"):
            if call_id in taken:
                return False
            taken.add(call_id)
    return True


def _with_fitting_ids(items: list[Item], target: Target) -> list[Item]:
    """Return the items with call ids that the target takes, each of one call only."""
    ids = fitting_ids(items, target)
    if not ids:
        return items
    shown = list(items)
    for place, fit in ids.items():
        shown[place] = items[place] | {id_key(items[place]): fit}
    return retied(items, shown, target.name)


def fitting_ids(
    items: Sequence[Item], target: Target, *, reserved: Collection[Any] = ()
) -> dict[int, str]:
    """Return the ids to show in place of those that a target does not take, or has seen before.

    They are by the places of calls and outputs.

    Args:
        items: The items.
        target: Who reads them.
        reserved: Ids of other calls, which no call among the items may have.
    """
    if target.id_length is None or _are_fitting(items, target, reserved):
        return {}
    call_of = {output: call for call, output in pairs(items)}
    ids: dict[int, str] = {}
    taken = set(reserved)
    repeats = Counter[str]()
    for place, item in enumerate(items):
        call_id = item.get(id_key(item))
        if not isinstance(call_id, str):
            continue
        fit = fitting_id(call_id, target)
        if place in call_of:
            fit = ids.get(call_of[place], fit)
        elif not str(item.get("type")).endswith("_output"):
            if fit in taken:
                said = str(item.get("arguments") or item.get("input"))
                fit = _made_id(call_id, str(item.get("name")), said, length=target.id_length)
            while fit in taken:
                repeats[call_id] += 1
                fit = _made_id(call_id, str(repeats[call_id]), length=target.id_length)
            taken.add(fit)
        ids[place] = fit
    return {place: fit for place, fit in ids.items() if fit != items[place][id_key(items[place])]}
